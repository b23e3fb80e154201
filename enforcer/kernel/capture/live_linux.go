package capture

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/pulse"
)

// How long Live.Next waits before it returns packet.ErrIdle: for
// what is due in seconds at most, so longer once nothing has come for a second, up to
// the moment at which others look at the time as well. Held packets are waited for
// with less patience, because who has not looked for them for lateAfter may have kept
// them waiting.
const (
	idleWait   = 100 * time.Millisecond
	quietAfter = 10 // waits
	heldApart  = 250 * time.Millisecond
)

// Live is the source of a router: copies of packets, and packets that wait. Both
// can change over to other numbers while the engine reads. Next, Pending and
// Release belong to the engine; the rest is safe for concurrent use.
type Live struct {
	bell   sync.Mutex   // guards wake; taken after mu where both are
	wake   int          // eventfd by which the others interrupt Next; -1 after Close
	wanted atomic.Int32 // of those who want mu
	called atomic.Bool  // by Wake
	closed atomic.Bool

	mu     sync.Mutex // held by Next, Pending and Release
	turn   int        // the log that is read next
	idle   int        // waits since a packet came
	empty  bool       // Pending has just found nothing to read
	waiter waiter
	poll   []unix.PollFd

	// What follows is written with mu and counted held, and read with either.
	counted sync.Mutex
	logs    []groupLog
	queue   *Queue      // nil when nothing is held
	queues  QueueConfig // its
	before  LiveStats   // of what was read before it changed over
}

// groupLog is an NFLOG group that is read.
type groupLog struct {
	group uint16
	*NFLog
}

// OpenLive opens all in the current network namespace. The caller must Close it.
func OpenLive(cfg LiveConfig) (*Live, error) {
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("open capture: eventfd: %w", err)
	}
	l := &Live{wake: wake, waiter: waiter{urgent: urgency{wanted: cfg.Realtime}}}
	if err := l.Use(cfg); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// Use changes over to other numbers; those in use are no change. On an error
// what was read before is read on.
func (l *Live) Use(cfg LiveConfig) error {
	defer l.interrupt()()
	l.counted.Lock()
	defer l.counted.Unlock()
	if err := l.regroup(cfg.Groups); err != nil {
		return err
	}
	if cfg.Queue == l.queues {
		return nil
	}
	old := l.queues
	if err := l.requeue(cfg.Queue); err != nil {
		return errors.Join(err, l.requeue(old))
	}
	return nil
}

// regroup goes over to other groups. New ones are opened before old ones are given
// up.
func (l *Live) regroup(groups []uint16) error {
	var logs, opened []groupLog
	for _, group := range groups {
		if i := slices.IndexFunc(l.logs, func(g groupLog) bool { return g.group == group }); i >= 0 {
			logs = append(logs, l.logs[i])
			continue
		}
		log, err := OpenNFLog(NFLogConfig{Group: group})
		if err != nil {
			for _, g := range opened {
				err = errors.Join(err, g.Close())
			}
			return err
		}
		opened = append(opened, groupLog{group, log})
		logs = append(logs, opened[len(opened)-1])
	}
	for _, g := range l.logs {
		if !slices.Contains(logs, g) {
			l.before.Lost += g.Stats().Lost
			_ = g.Close()
		}
	}
	l.logs, l.turn = logs, 0
	return nil
}

// requeue goes over to other queues. The old ones are given back first, because
// the new ones may be some of them.
func (l *Live) requeue(cfg QueueConfig) error {
	if l.queue != nil {
		l.before.Queue = l.before.Queue.and(l.queue.Stats())
		_ = l.queue.Close()
		l.queue, l.queues = nil, QueueConfig{}
	}
	if cfg.Packets == 0 {
		return nil
	}
	queue, err := OpenQueue(cfg)
	if err != nil {
		return err
	}
	l.queue, l.queues = queue, cfg
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
	l.waiter.urgent.look()
	for {
		if l.closed.Load() {
			return io.EOF
		}
		if l.called.Load() {
			l.answer()
			return packet.ErrIdle
		}
		if !l.empty {
			if ok, err := l.take(r); ok || err != nil {
				return err
			}
		}
		l.empty = false
		ready, err := l.wait()
		switch {
		case err != nil:
			return err
		case ready == 0, l.wanted.Load() > 0:
			return packet.ErrIdle
		}
	}
}

// take takes a packet that is there.
func (l *Live) take(r *packet.Raw) (bool, error) {
	if l.queue != nil {
		l.queue.look()
		if ok, err := l.queue.take(r); ok || err != nil {
			return ok, err
		}
	}
	return l.takeLogged(r)
}

// takeLogged takes a packet of the group that was read last, until it has no more,
// and then of the next.
func (l *Live) takeLogged(r *packet.Raw) (bool, error) {
	for range l.logs {
		if ok, err := l.logs[l.turn].take(r); ok || err != nil {
			return ok, err
		}
		l.turn = (l.turn + 1) % len(l.logs)
	}
	return false, nil
}

// wait waits for packets.
func (l *Live) wait() (ready int, _ error) {
	l.poll = append(l.poll[:0], unix.PollFd{Fd: int32(l.wake), Events: unix.POLLIN})
	for i := range l.logs {
		l.poll = append(l.poll, unix.PollFd{Fd: int32(l.logs[i].sock.FD()), Events: unix.POLLIN})
	}
	if l.queue != nil {
		l.poll = append(l.poll, unix.PollFd{Fd: int32(l.queue.sock.FD()), Events: unix.POLLIN})
	}
	patience := idleWait
	switch {
	case l.idle < quietAfter:
	case l.queue == nil:
		patience = pulse.Until(pulse.Slow)
	default:
		patience = pulse.Until(heldApart)
	}
	if ready, err := l.waiter.wait(patience, l.poll); ready > 0 || err != nil {
		if !rung(ready, l.poll) {
			l.idle = 0
		}
		return ready, err
	}
	l.idle++
	for i := range l.logs {
		l.logs[i].calm()
	}
	return 0, nil
}

// Wake makes a waiting Next, or the next one, return packet.ErrIdle at once.
func (l *Live) Wake() {
	if !l.called.Swap(true) {
		l.ring(func(fd int) { _, _ = unix.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 0}) })
	}
}

// answer makes the eventfd quiet again, unless others ring as well.
func (l *Live) answer() {
	l.called.Store(false)
	if l.wanted.Load() == 0 {
		l.ring(func(fd int) { _, _ = unix.Read(fd, make([]byte, 8)) })
	}
}

// Pending reports whether Next would return a packet without waiting.
func (l *Live) Pending() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed.Load() {
		return false
	}
	some := l.queue != nil && l.queue.more() || slices.ContainsFunc(l.logs, func(g groupLog) bool { return g.more() })
	l.empty = !some
	return some
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

// Lost is how many copies the kernel made and nobody read.
func (l *Live) Lost() uint64 {
	l.counted.Lock()
	defer l.counted.Unlock()
	return l.lost()
}

func (l *Live) lost() uint64 {
	n := l.before.Lost
	for i := range l.logs {
		n += l.logs[i].lost.Load()
	}
	return n
}

// Stats are the counters so far.
func (l *Live) Stats() LiveStats {
	l.counted.Lock()
	defer l.counted.Unlock()
	s := l.before
	s.Lost = l.lost()
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
	l.counted.Lock()
	defer l.counted.Unlock()
	l.waiter.urgent.end()
	errs := []error{l.waiter.close()}
	for i := range l.logs {
		errs = append(errs, l.logs[i].Close())
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
