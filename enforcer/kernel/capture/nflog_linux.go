package capture

import (
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
)

const (
	msgPacket = unix.NFNL_SUBSYS_ULOG << 8 // NFULNL_MSG_PACKET

	// datagramBytes holds the largest datagram: NFULNL_NLBUFSIZ_MAX is 128
	// KiB, plus headers.
	datagramBytes = 132 << 10

	// maxNames bounds the interface names remembered; the numbers of
	// interfaces that come and go are never used again.
	maxNames = 1024

	// nameLife is how long an interface name is believed: interfaces are
	// renamed, rarely, and their number stays.
	nameLife = time.Second
)

// NFLog is a live packet source. Next and Pending belong to one goroutine;
// Stats and Close may be called by any.
type NFLog struct {
	mu     sync.Mutex // held by Next, so that Close frees nothing in use
	sock   *nfnl.Socket
	wake   int // eventfd that Close writes to
	closed atomic.Bool
	idle   int // milliseconds

	rest   []byte // messages of the current datagram that Next has not returned
	buf    []byte // backs rest
	next   []byte // backs the datagram that Pending read ahead
	ahead  int    // bytes in next, 0 for none
	expect uint32 // number of the next packet, if none is lost
	names  map[uint32]device

	packets, bytes, lost, overruns atomic.Uint64
}

type device struct {
	name  string
	until int64 // nanoseconds since the epoch
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
		sock: sock, wake: wake, idle: int(cfg.Idle.Milliseconds()),
		buf: make([]byte, datagramBytes), next: make([]byte, datagramBytes),
		names: make(map[uint32]device),
	}, nil
}

// Next fills r with the next packet. It returns packet.ErrIdle if none came
// for a while and io.EOF after Close. r.Data is valid until the next call.
func (s *NFLog) Next(r *packet.Raw) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for len(s.rest) > 0 {
			m, rest, ok := nfnl.Next(s.rest)
			s.rest = rest
			if ok && m.Type == msgPacket && s.fill(r, m.Data) {
				return nil
			}
		}
		if err := s.receive(); err != nil {
			return err
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
	if s.closed.Load() {
		return false
	}
	// Into the other buffer: r.Data of the last Next is still in use.
	n, err := s.read(s.next)
	if err != nil {
		return false
	}
	s.ahead = n
	return n > 0
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
	return errors.Join(s.sock.Close(), unix.Close(s.wake))
}

// receive puts the next datagram into rest, waiting for it.
func (s *NFLog) receive() error {
	if s.ahead > 0 {
		s.buf, s.next = s.next, s.buf
		s.rest, s.ahead = s.buf[:s.ahead], 0
		return nil
	}
	for {
		if s.closed.Load() {
			return io.EOF
		}
		n, err := s.read(s.buf)
		if err == nil {
			s.rest = s.buf[:n]
			return nil
		}
		if !errors.Is(err, unix.EAGAIN) {
			return fmt.Errorf("nflog receive: %w", err)
		}
		fds := [2]unix.PollFd{{Fd: int32(s.sock.FD()), Events: unix.POLLIN}, {Fd: int32(s.wake), Events: unix.POLLIN}}
		n, err = unix.Poll(fds[:], s.idle)
		switch {
		case err != nil && !errors.Is(err, unix.EINTR):
			return fmt.Errorf("nflog poll: %w", err)
		case err == nil && n == 0:
			return packet.ErrIdle
		}
	}
}

// read is TryReceive that counts overruns and goes on.
func (s *NFLog) read(buf []byte) (int, error) {
	for {
		n, err := s.sock.TryReceive(buf)
		if errors.Is(err, unix.ENOBUFS) {
			s.overruns.Add(1)
			continue
		}
		return n, err
	}
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
			r.Direction = direction(a.Uint8())
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

func direction(prefix uint8) packet.Direction {
	switch prefix {
	case prefixOriginal:
		return packet.DirOriginal
	case prefixReply:
		return packet.DirReply
	}
	return packet.DirUnknown
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

// name is the interface's name, empty for one that is gone.
func (s *NFLog) name(index uint32, now int64) string {
	if index == 0 {
		return ""
	}
	if d, ok := s.names[index]; ok && now < d.until {
		return d.name
	}
	d := device{until: now + nameLife.Nanoseconds()}
	// Asked of our own socket, the answer is of its namespace, whatever thread
	// this runs on.
	if req, err := unix.NewIfreq("?"); err == nil {
		req.SetUint32(index)
		if unix.IoctlIfreq(s.sock.FD(), unix.SIOCGIFNAME, req) == nil {
			d.name = req.Name()
		}
	}
	if len(s.names) >= maxNames {
		clear(s.names)
	}
	s.names[index] = d
	return d.name
}
