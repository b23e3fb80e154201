package capture

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
)

// idleWait is how long Live.Next waits, in milliseconds, before it returns
// packet.ErrIdle.
const idleWait = 100

// Live is the source of a router: copies of packets, and packets that wait. Both
// can change over to other numbers while the engine reads. Next, Pending and
// Release belong to the engine; the rest is safe for concurrent use.
type Live struct {
	bell   sync.Mutex   // guards wake; taken after mu where both are
	wake   int          // eventfd by which the others interrupt Next; -1 after Close
	wanted atomic.Int32 // of those who want mu
	closed atomic.Bool

	mu     sync.Mutex // held by Next, Pending and Release
	cfg    LiveConfig
	log    *NFLog
	queue  *Queue    // nil when nothing is held
	before LiveStats // of what was read before it changed over
}

// OpenLive opens both in the current network namespace. The caller must Close it.
func OpenLive(cfg LiveConfig) (*Live, error) {
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("open capture: eventfd: %w", err)
	}
	l := &Live{wake: wake}
	if err := l.Use(cfg); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// Use changes over to other numbers; those in use are no change. On an error
// what was read before is read on.
func (l *Live) Use(cfg LiveConfig) error {
	defer l.interrupt()()
	if l.log == nil || cfg.Group != l.cfg.Group {
		log, err := OpenNFLog(NFLogConfig{Group: cfg.Group})
		if err != nil {
			return err
		}
		if l.log != nil {
			l.before.Lost += l.log.Stats().Lost
			_ = l.log.Close()
		}
		l.log, l.cfg.Group = log, cfg.Group
	}
	if cfg.Queue == l.cfg.Queue {
		return nil
	}
	old := l.cfg.Queue
	if err := l.requeue(cfg.Queue); err != nil {
		return errors.Join(err, l.requeue(old))
	}
	return nil
}

// requeue goes over to other queues. The old ones are given back first, because
// the new ones may be some of them.
func (l *Live) requeue(cfg QueueConfig) error {
	if l.queue != nil {
		l.before.Queue = l.before.Queue.and(l.queue.Stats())
		_ = l.queue.Close()
		l.queue, l.cfg.Queue = nil, QueueConfig{}
	}
	if cfg.Packets == 0 {
		return nil
	}
	queue, err := OpenQueue(cfg)
	if err != nil {
		return err
	}
	l.queue, l.cfg.Queue = queue, cfg
	return nil
}

// interrupt takes mu, making a waiting Next give it up; the result gives it back.
func (l *Live) interrupt() (release func()) {
	l.wanted.Add(1)
	l.ring(func(fd int) { _, _ = unix.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 0}) })
	l.mu.Lock()
	return func() {
		if l.wanted.Add(-1) == 0 {
			l.ring(func(fd int) { _, _ = unix.Read(fd, make([]byte, 8)) })
		}
		l.mu.Unlock()
	}
}

// ring does something with the eventfd, if there still is one.
func (l *Live) ring(do func(fd int)) {
	l.bell.Lock()
	defer l.bell.Unlock()
	if l.wake >= 0 {
		do(l.wake)
	}
}

// Next fills r with the next packet, one that waits before one that is copied.
// It returns packet.ErrIdle if none came for a while and io.EOF after Close.
// r.Data is valid until the next call.
func (l *Live) Next(r *packet.Raw) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if l.closed.Load() {
			return io.EOF
		}
		if l.queue != nil {
			l.queue.look()
			if ok, err := l.queue.take(r); ok || err != nil {
				return err
			}
		}
		if ok, err := l.log.take(r); ok || err != nil {
			return err
		}
		fds := [3]int{l.wake, l.log.sock.FD()}
		n := 2
		if l.queue != nil {
			fds[n] = l.queue.sock.FD()
			n++
		}
		idle, err := wait(idleWait, fds[:n]...)
		switch {
		case err != nil:
			return err
		case idle, l.wanted.Load() > 0:
			return packet.ErrIdle
		}
	}
}

// Pending reports whether Next would return a packet without waiting.
func (l *Live) Pending() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed.Load() {
		return false
	}
	return l.queue != nil && l.queue.more() || l.log.more()
}

// Release lets packets go on that wait. Tickets of queues that are given back are
// of no use any more: their packets are gone.
func (l *Live) Release(list []flow.Release) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.queue == nil {
		return nil
	}
	return l.queue.Release(list)
}

// Lost is how many copies the kernel made and nobody read. It waits for Next.
func (l *Live) Lost() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.before.Lost + l.log.Stats().Lost
}

// Stats are the counters so far.
func (l *Live) Stats() LiveStats {
	defer l.interrupt()()
	s := l.before
	if l.log != nil {
		s.Lost += l.log.Stats().Lost
	}
	if l.queue != nil {
		s.Queue = s.Queue.and(l.queue.Stats())
	}
	return s
}

// Close ends the source for good; a waiting Next returns io.EOF.
func (l *Live) Close() error {
	if l.closed.Swap(true) {
		return nil
	}
	defer l.interrupt()()
	var errs []error
	if l.log != nil {
		errs = append(errs, l.log.Close())
	}
	if l.queue != nil {
		l.before.Queue = l.before.Queue.and(l.queue.Stats())
		errs = append(errs, l.queue.Close())
		l.queue = nil
	}
	l.bell.Lock()
	defer l.bell.Unlock()
	errs = append(errs, unix.Close(l.wake))
	l.wake = -1
	return errors.Join(errs...)
}
