package capture

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
	"github.com/netpol/netpol/enforcer/packet"
)

// ErrGroupBusy says that another process reads the group.
var ErrGroupBusy = errors.New("another process reads this NFLOG group")

// Packet attributes (linux/netfilter/nfnetlink_log.h, enum nfulnl_attr_type).
const (
	nfulaTimestamp = 3
	nfulaInDev     = 4
	nfulaOutDev    = 5
	nfulaHWAddr    = 8
	nfulaPayload   = 9
	nfulaPrefix    = 10
	nfulaSeq       = 12
)

// Prefixes that the capture rules put on packets to tell who sent them.
const (
	prefixOriginal = 'o'
	prefixReply    = 'r'

	// Of packets that were to be held.
	prefixMissedOriginal = 'O'
	prefixMissedReply    = 'R'
)

const (
	msgPacket = unix.NFNL_SUBSYS_ULOG << 8 // NFULNL_MSG_PACKET

	// datagramBytes holds the largest datagram: NFULNL_NLBUFSIZ_MAX is 128
	// KiB, plus headers.
	datagramBytes = 132 << 10
)

// NFLog is a live packet source. Next and Pending belong to one goroutine;
// Stats and Close may be called by any.
type NFLog struct {
	mu sync.Mutex // held by Next, so that Close frees nothing in use
	stream
	waiter waiter
	wake   int // eventfd that Close writes to
	closed atomic.Bool
	idle   time.Duration

	group     uint16
	threshold uint32
	gather    gather
	expect    uint32 // number of the next packet, if none is lost

	packets, bytes, lost atomic.Uint64
}

// OpenNFLog subscribes to a group in the current network namespace. The
// caller must Close it. ErrGroupBusy and EPERM are in the chain of the errors
// they cause.
func OpenNFLog(cfg NFLogConfig) (*NFLog, error) {
	cfg = cfg.withDefaults()
	sock, err := nfnl.Open(nfnl.Options{Acks: true, ReadBuffer: cfg.ReadBuffer})
	if err != nil {
		return nil, fmt.Errorf("open nflog: %w", err)
	}
	if err := subscribe(sock, cfg); err != nil {
		_ = sock.Close()
		return nil, fmt.Errorf("open nflog group %d: %w", cfg.Group, err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = sock.Close()
		return nil, fmt.Errorf("open nflog: eventfd: %w", err)
	}
	return &NFLog{
		stream: newStream(sock), wake: wake, idle: cfg.Idle, group: cfg.Group, threshold: cfg.Threshold,
	}, nil
}

// Next fills r with the next packet. It returns packet.ErrIdle if none came
// for a while and io.EOF after Close. r.Data is valid until the next call.
func (s *NFLog) Next(r *packet.Raw) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if s.closed.Load() {
			return io.EOF
		}
		if ok, err := s.take(r); ok || err != nil {
			return err
		}
		fds := [...]unix.PollFd{{Fd: int32(s.wake), Events: unix.POLLIN}, {Fd: int32(s.sock.FD()), Events: unix.POLLIN}}
		if ready, err := s.waiter.wait(s.idle, fds[:]); ready == 0 || err != nil {
			s.calm()
			return cmp.Or(err, packet.ErrIdle)
		}
	}
}

// take fills r with the next packet that is there; false says that none is.
func (s *NFLog) take(r *packet.Raw) (bool, error) {
	for {
		m, err := s.message()
		switch {
		case errors.Is(err, unix.EAGAIN):
			return false, nil
		case err != nil:
			return false, fmt.Errorf("nflog receive: %w", err)
		case m.Type == msgPacket && s.fill(r, m.Data):
			if s.gather.turns(r.Timestamp) {
				s.handOver()
			}
			return true, nil
		}
	}
}

// Pending reports whether the next call of Next returns a packet without
// waiting. It is the moment to flush when it does not.
func (s *NFLog) Pending() bool {
	if len(s.rest) > 0 || s.ahead > 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed.Load() && s.more()
}

// Stats are the counters so far.
func (s *NFLog) Stats() NFLogStats {
	return NFLogStats{
		Packets: s.packets.Load(), Bytes: s.bytes.Load(),
		Lost: s.lost.Load(), Overruns: s.overruns.Load(),
	}
}

// Close makes a waiting Next return io.EOF and gives the group back.
func (s *NFLog) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	_, _ = unix.Write(s.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.waiter.close(), s.sock.Close(), unix.Close(s.wake))
}

// fill reads the attributes of one logged packet; false if it has no payload.
func (s *NFLog) fill(r *packet.Raw, b []byte) bool {
	*r = packet.Raw{LinkType: packet.LinkRaw}
	var dev uint32
	for a, rest, ok := nfnl.NextAttr(b); ok; a, rest, ok = nfnl.NextAttr(rest) {
		switch a.Type {
		case nfulaPayload:
			r.Data = a.Data
		case nfulaHWAddr:
			r.SourceMAC = hardwareAddress(a.Data)
		case nfulaTimestamp:
			r.Timestamp = timestamp(a.Data)
		case nfulaInDev:
			dev = a.Uint32()
		case nfulaOutDev:
			if dev == 0 { // only packets of the router itself come in nowhere
				dev = a.Uint32()
			}
		case nfulaPrefix:
			r.Direction, r.Missed = direction(a.Uint8())
		case nfulaSeq:
			s.lost.Add(uint64(a.Uint32() - s.expect))
			s.expect = a.Uint32() + 1
		}
	}
	if len(r.Data) == 0 {
		return false
	}
	if r.Timestamp == 0 {
		r.Timestamp = time.Now().UnixNano()
	}
	r.Length = max(wireLength(r.Data), len(r.Data))
	r.Interface = s.name(dev, r.Timestamp)
	s.packets.Add(1)
	s.bytes.Add(uint64(len(r.Data)))
	return true
}

func direction(prefix uint8) (d packet.Direction, missed bool) {
	switch prefix {
	case prefixOriginal, prefixMissedOriginal:
		d = packet.DirOriginal
	case prefixReply, prefixMissedReply:
		d = packet.DirReply
	}
	return d, prefix == prefixMissedOriginal || prefix == prefixMissedReply
}

// hardwareAddress reads struct nfulnl_msg_packet_hw: a length, padding and
// eight bytes of address; zero when it is no MAC address.
func hardwareAddress(b []byte) (mac [6]byte) {
	if len(b) >= 4+len(mac) && int(binary.BigEndian.Uint16(b)) == len(mac) {
		copy(mac[:], b[4:])
	}
	return mac
}

// timestamp reads struct nfulnl_msg_packet_timestamp: seconds and
// microseconds, 0 if there is none.
func timestamp(b []byte) int64 {
	if len(b) < 16 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))*1e9 + int64(binary.BigEndian.Uint64(b[8:]))*1e3
}

// wireLength is the length that the IP header states (RFC 791 section 3.1,
// RFC 8200 section 3), 0 for what is no IP. The capture rules cut packets.
func wireLength(b []byte) int {
	switch {
	case len(b) >= 20 && b[0]>>4 == 4:
		return int(binary.BigEndian.Uint16(b[2:]))
	case len(b) >= 40 && b[0]>>4 == 6:
		return 40 + int(binary.BigEndian.Uint16(b[4:]))
	}
	return 0
}
