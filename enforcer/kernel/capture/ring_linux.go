package capture

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/packet"
)

// Ring reads the packets of an interface from memory shared with the kernel
// (packet(7), TPACKET_V3), without conntrack and without copying: for mirror
// ports, bridges and hosts that track nothing. Next and Pending belong to one
// goroutine; Stats and Close may be called by any.
type Ring struct {
	cfg  RingConfig
	mu   sync.Mutex // held by Next, so that Close frees nothing in use
	fd   int
	wake int // eventfd that Close writes to
	gate *flowGate
	ring []byte

	waiter waiter

	block   int    // that is read, or is waited for
	held    bool   // the block is ours until its packets are read
	at      uint32 // of the next packet, in the block
	left    uint32 // packets of the block that were not read
	link    packet.LinkType
	index   int  // of the interface; 0 while there is none
	down    bool // the interface was down or gone when it was last looked at
	lookAt  time.Time
	closed  atomic.Bool
	counted sync.Mutex // guards the kernel's counters, which reading clears

	packets, bytes, lost, outages atomic.Uint64
}

// lookAgain is how often an interface that is down or gone is looked for.
const lookAgain = 200 * time.Millisecond

// OpenRing makes a ring for an interface of the current network namespace. The
// caller must Close it. EPERM is in the chain of the error where CAP_NET_RAW
// is missing, and a missing interface is an error now, though not later.
func OpenRing(cfg RingConfig) (*Ring, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("open packet ring: %w", err)
	}
	// Protocol 0 hears nothing before bind names the interface.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		if errors.Is(err, unix.EPERM) {
			err = fmt.Errorf("%w: needs CAP_NET_RAW in this network namespace", err)
		}
		return nil, fmt.Errorf("open packet ring on %s: %w", cfg.Interface, err)
	}
	s := &Ring{cfg: cfg, fd: fd, wake: -1}
	if err := s.setup(); err != nil {
		s.release()
		return nil, fmt.Errorf("open packet ring on %s: %w", cfg.Interface, err)
	}
	return s, nil
}

func (s *Ring) setup() (err error) {
	if s.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("eventfd: %w", err)
	}
	if err := s.map3(); err != nil {
		return err
	}
	if s.gate, err = newFlowGate(s.cfg); err != nil {
		return err
	}
	if err := s.gate.attach(s.fd); err != nil {
		return err
	}
	if s.cfg.Incoming {
		// Since Linux 4.20; before, Next leaves such packets out itself.
		_ = unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	}
	return s.bind()
}

// map3 makes the ring and maps it.
func (s *Ring) map3() error {
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("TPACKET_V3: %w", err)
	}
	// Room before each packet for the VLAN tag that the kernel took out.
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_RESERVE, vlanTag); err != nil {
		return fmt.Errorf("PACKET_RESERVE: %w", err)
	}
	size := s.cfg.Blocks * s.cfg.BlockBytes
	req := unix.TpacketReq3{
		Block_size: s.cfg.BlockBytes, Block_nr: s.cfg.Blocks,
		Frame_size: ringFrame, Frame_nr: size / ringFrame,
		Retire_blk_tov: uint32(max(1, s.cfg.Wait.Milliseconds())),
	}
	if err := unix.SetsockoptTpacketReq3(s.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req); err != nil {
		return fmt.Errorf("a ring of %d bytes: %w", size, err)
	}
	ring, err := unix.Mmap(s.fd, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map ring: %w", err)
	}
	s.ring = ring
	return nil
}

// bind begins to listen on the interface as it is now. An interface that was
// made anew under the old name is another one, with another number.
func (s *Ring) bind() error {
	req, err := unix.NewIfreq(s.cfg.Interface)
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(s.fd, unix.SIOCGIFINDEX, req); err != nil {
		return fmt.Errorf("no such interface: %w", err)
	}
	index := int(req.Uint32())
	if err := unix.IoctlIfreq(s.fd, unix.SIOCGIFHWADDR, req); err != nil {
		return fmt.Errorf("hardware address: %w", err)
	}
	link, err := linkOf(req.Uint16()) // sa_family of ifr_hwaddr
	if err != nil {
		return err
	}
	if err := unix.Bind(s.fd, &unix.SockaddrLinklayer{Protocol: hostToNet(unix.ETH_P_ALL), Ifindex: index}); err != nil && !errors.Is(err, unix.ENETDOWN) {
		return fmt.Errorf("bind: %w", err)
	}
	if s.cfg.Promiscuous && index != s.index {
		mreq := unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC}
		if err := unix.SetsockoptPacketMreq(s.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &mreq); err != nil {
			return fmt.Errorf("promiscuous mode: %w", err)
		}
	}
	s.index, s.link = index, link
	return nil
}

// linkOf is how packets of an interface begin, from its ARPHRD_*
// (linux/if_arp.h).
func linkOf(hardware uint16) (packet.LinkType, error) {
	switch hardware {
	case unix.ARPHRD_ETHER, unix.ARPHRD_LOOPBACK:
		return packet.LinkEthernet, nil
	case unix.ARPHRD_NONE, unix.ARPHRD_PPP, unix.ARPHRD_RAWIP, unix.ARPHRD_TUNNEL, unix.ARPHRD_TUNNEL6, unix.ARPHRD_SIT, unix.ARPHRD_IPGRE:
		return packet.LinkRaw, nil
	case unix.ARPHRD_IEEE80211_RADIOTAP:
		return packet.LinkRadiotap, nil
	}
	return 0, fmt.Errorf("packets of its kind (ARPHRD %d) cannot be read", hardware)
}

// Next fills r with the next packet. It returns packet.ErrIdle if none came
// for a while, also while the interface is gone, and io.EOF after Close. r.Data
// is valid until the next call.
func (s *Ring) Next(r *packet.Raw) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for s.left > 0 {
			if s.fill(r) {
				return nil
			}
		}
		s.giveBack()
		if s.closed.Load() {
			return io.EOF
		}
		if s.take() {
			continue
		}
		if err := s.wait(); err != nil {
			return err
		}
	}
}

// Pending reports whether the next call of Next returns a packet without
// waiting.
func (s *Ring) Pending() bool {
	if s.left > 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return false
	}
	// The block in use may hold the packet that was returned last, so it is
	// the next one that is looked at.
	next := s.block
	if s.held {
		next = (s.block + 1) % int(s.cfg.Blocks)
	}
	return atomic.LoadUint32(&s.header(next).Block_status)&unix.TP_STATUS_USER != 0
}

// wait sleeps until a block is ready.
func (s *Ring) wait() error {
	fds := [2]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}, {Fd: int32(s.wake), Events: unix.POLLIN}}
	if s.down {
		fds[0].Fd = -1 // it would say POLLERR at once
	}
	n, err := s.waiter.wait(int(s.cfg.Idle.Milliseconds()), fds[:])
	switch {
	case err != nil:
		return err
	case fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0:
		s.lookAfter()
	case s.down:
		s.lookAfter()
		return packet.ErrIdle
	case n == 0:
		s.lookAfter()
		return packet.ErrIdle
	}
	return nil
}

// lookAfter finds out whether the interface is there, and listens on it again
// where it is another one than before, or came back.
func (s *Ring) lookAfter() {
	now := time.Now()
	if now.Before(s.lookAt) {
		return
	}
	s.lookAt = now.Add(lookAgain)
	_, _ = unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR) // ENETDOWN, told once
	before := s.index
	up := s.up()
	switch {
	case up && (s.down || before != s.index):
		s.down = s.bind() != nil
	case !up && !s.down:
		s.down = true
		s.outages.Add(1)
	}
}

// up reports whether the interface is there and up; an interface that has
// another number than the one we listen on is not ours yet.
func (s *Ring) up() bool {
	req, err := unix.NewIfreq(s.cfg.Interface)
	if err != nil || unix.IoctlIfreq(s.fd, unix.SIOCGIFINDEX, req) != nil {
		return false
	}
	if int(req.Uint32()) != s.index {
		s.outages.Add(1)
		s.index = 0
	}
	return unix.IoctlIfreq(s.fd, unix.SIOCGIFFLAGS, req) == nil && req.Uint16()&unix.IFF_UP != 0
}

// Stats are the counters so far.
func (s *Ring) Stats() RingStats {
	s.counted.Lock()
	if !s.closed.Load() {
		if st, err := unix.GetsockoptTpacketStatsV3(s.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
			s.lost.Add(uint64(st.Drops))
		}
	}
	s.counted.Unlock()
	return RingStats{Packets: s.packets.Load(), Bytes: s.bytes.Load(), Lost: s.lost.Load(), Outages: s.outages.Load()}
}

// Close makes a waiting Next return io.EOF and frees the ring.
func (s *Ring) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	_, _ = unix.Write(s.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counted.Lock()
	defer s.counted.Unlock()
	return s.release()
}

func (s *Ring) release() error {
	var errs []error
	if s.ring != nil {
		errs = append(errs, unix.Munmap(s.ring))
		s.ring, s.left = nil, 0
	}
	if s.wake >= 0 {
		errs = append(errs, unix.Close(s.wake))
	}
	errs = append(errs, s.waiter.close(), unix.Close(s.fd), s.gate.close())
	return errors.Join(errs...)
}

func hostToNet(v uint16) uint16 {
	b := [2]byte{byte(v >> 8), byte(v)}
	return *(*uint16)(unsafe.Pointer(&b))
}
