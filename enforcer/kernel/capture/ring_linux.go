package capture

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/pulse"
)

// Ring is a worker's part of an interface. Next and Pending belong to one
// goroutine; Stats may be called by any.
type Ring struct {
	cfg    *RingConfig
	rings  *Rings
	waiter waiter
	closed atomic.Bool
	bell   sync.Mutex // guards wake; taken after the others
	wake   int        // eventfd by which others interrupt Next; -1 after close

	mu         sync.Mutex // held by Next, so that close frees nothing in use
	generation int64      // of the socket
	block      int        // that is read, or is waited for
	held       bool       // the block is ours until its packets are read
	at         uint32     // of the next packet, in the block
	left       uint32     // packets of the block that were not read
	idle       int        // waits since a packet came

	// socket is what is read, and nil while there is nothing. It is written with
	// mu and rings.mu held, and read with either.
	socket *ringSocket
	// Guarded by rings.mu.
	want *ringSocket // what is to be read
	lost uint64

	packets, bytes atomic.Uint64
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
		s.rings.lookAfter()
		s.turn()
		if s.take() {
			s.idle = 0
			if s.rings.away.Load() {
				s.rings.find(false) // it is back
			}
			continue
		}
		if err := s.wait(); err != nil {
			return err
		}
	}
}

// turn goes over to another socket when the interface is another one.
func (s *Ring) turn() {
	if s.generation == s.rings.generation.Load() {
		return
	}
	g := s.rings
	g.mu.Lock()
	defer g.mu.Unlock()
	s.generation = g.generation.Load()
	if s.socket == s.want {
		return
	}
	s.lost += s.socket.lost()
	_ = s.socket.close()
	s.socket, s.block = s.want, 0
}

// Pending reports whether the next call of Next returns a packet without
// waiting.
func (s *Ring) Pending() bool {
	if s.left > 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.socket == nil {
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
	fds := [2]unix.PollFd{{Fd: int32(s.wake), Events: unix.POLLIN}, {Fd: -1, Events: unix.POLLIN}}
	if s.socket != nil {
		fds[1].Fd = int32(s.socket.fd)
	}
	patience := s.cfg.Idle
	if s.idle++; s.idle > quietAfter && !s.rings.away.Load() { // one that is away is looked for
		patience = max(patience, pulse.Until(pulse.Slow))
	}
	n, err := s.waiter.wait(patience, fds[:])
	switch {
	case err != nil:
		return err
	case fds[1].Revents&(unix.POLLERR|unix.POLLHUP) != 0:
		_, _ = unix.GetsockoptInt(s.socket.fd, unix.SOL_SOCKET, unix.SO_ERROR) // ENETDOWN, told once
		s.rings.find(s == s.rings.list[0])
	case fds[0].Revents != 0:
		_, _ = unix.Read(s.wake, make([]byte, 8))
		if !s.closed.Load() {
			return packet.ErrIdle
		}
	case n == 0:
		return packet.ErrIdle
	}
	return nil
}

// Wake makes a waiting Next, or the next that would wait, return packet.ErrIdle at
// once.
func (s *Ring) Wake() {
	s.bell.Lock()
	defer s.bell.Unlock()
	if s.wake >= 0 {
		_, _ = unix.Write(s.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}
}

// Stats are the counters so far.
func (s *Ring) Stats() RingStats {
	s.rings.mu.Lock()
	defer s.rings.mu.Unlock()
	if s.lost += s.want.lost(); s.socket != s.want {
		s.lost += s.socket.lost()
	}
	return RingStats{Packets: s.packets.Load(), Bytes: s.bytes.Load(), Lost: s.lost}
}

// close makes a waiting Next return io.EOF and frees the ring.
func (s *Ring) close() error {
	s.closed.Store(true)
	s.Wake()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rings.mu.Lock()
	defer s.rings.mu.Unlock()
	s.bell.Lock()
	defer s.bell.Unlock()
	errs := []error{s.waiter.close(), unix.Close(s.wake)}
	s.wake = -1
	if s.want != s.socket {
		errs = append(errs, s.want.close())
	}
	s.lost += s.socket.lost()
	errs = append(errs, s.socket.close())
	s.socket, s.want, s.left, s.held = nil, nil, 0, false
	return errors.Join(errs...)
}

func hostToNet(v uint16) uint16 {
	b := [2]byte{byte(v >> 8), byte(v)}
	return *(*uint16)(unsafe.Pointer(&b))
}
