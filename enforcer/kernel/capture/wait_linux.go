package capture

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// waiter waits until one of some descriptors can be read. While packets come it
// waits in the kernel: the shortest way, some 10 µs shorter than the next. When
// none came for a while it waits in Go's own poller instead, because a thread that
// is blocked in a system call has the runtime's monitor wake up 50 times for each
// of its waits (sysmon polls from every 20 µs on until it has taken the
// processor away; 360 wake-ups a second for an idle netpold, measured 2026-11).
//
// A thread that is to run before others waits in the kernel in any case: what Go's
// poller finds, another thread finds first, which waits for a processor as all do. While
// packets come, Go is not even told that it waits: its monitor holds who is in a system
// call for a moment each 20 µs, and if a thread that runs before it came back just then, it would
// spin for what the monitor has, and keep it from going on (40 ms, 2026-11).
//
// It belongs to one goroutine. The caller must close it.
type waiter struct {
	urgent  urgency
	quiet   bool
	poller  *os.File // an epoll(7) descriptor that has all of watched
	watched []int32
	armed   bool // it waits for packets
}

// wait waits so long at most and returns how many descriptors can be read, which
// their Revents tell; negative ones are left out. The first is the one that others
// ring by: who rings is no packet, so it stays as quiet as it was.
func (w *waiter) wait(patience time.Duration, fds []unix.PollFd) (ready int, err error) {
	defer w.urgent.wake()
	if window := w.urgent.rest(); window > 0 && window < patience {
		if ready, err = poll(fds, window); ready > 0 || err != nil {
			return ready, err
		}
		w.urgent.rest()
	}
	switch {
	case w.urgent.wanted && !w.quiet:
		ready, err = w.attend(fds, patience)
	case w.quiet && !w.urgent.wanted:
		ready, err = w.park(patience, fds)
	default:
		w.arm(0)
		ready, err = poll(fds, patience)
	}
	w.quiet = err == nil && (ready == 0 || w.quiet && rung(ready, fds))
	return ready, err
}

// rung says that nothing but the first descriptor can be read.
func rung(ready int, fds []unix.PollFd) bool { return ready == 1 && fds[0].Revents != 0 }

// poll is poll(2), by whole milliseconds; a signal counts as no descriptor.
func poll(fds []unix.PollFd, patience time.Duration) (ready int, err error) {
	ready, err = unix.Poll(fds, int((patience+time.Millisecond-1)/time.Millisecond))
	if err != nil && !errors.Is(err, unix.EINTR) {
		return 0, fmt.Errorf("poll packets: %w", err)
	}
	return max(ready, 0), nil
}

// attend is poll of which Go knows nothing. When it wants the processor, or the world to
// stop, its signal ends the wait, and the goroutine gives way between two, after which it
// may be in another thread.
func (w *waiter) attend(fds []unix.PollFd, patience time.Duration) (ready int, err error) {
	for until := time.Now().Add(patience); ; w.urgent.follow() {
		left := unix.NsecToTimespec(max(0, time.Until(until).Nanoseconds()))
		n, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&fds[0])), uintptr(len(fds)), uintptr(unsafe.Pointer(&left)), 0, 0, 0)
		switch {
		case errno == 0:
			return int(n), nil
		case errno != unix.EINTR:
			return 0, fmt.Errorf("poll packets: %w", errno)
		}
	}
}

// park waits in Go's poller.
func (w *waiter) park(patience time.Duration, fds []unix.PollFd) (ready int, err error) {
	w.arm(unix.EPOLLIN)
	if err := w.watch(fds); err != nil {
		return 0, err
	}
	if err := w.poller.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return 0, fmt.Errorf("wait for packets: %w", err)
	}
	raw, err := w.poller.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("wait for packets: %w", err)
	}
	var failed error
	err = raw.Read(func(uintptr) bool {
		ready, failed = poll(fds, 0)
		return ready > 0 || failed != nil
	})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	return ready, errors.Join(err, failed)
}

// watch makes the poller one of these descriptors.
func (w *waiter) watch(fds []unix.PollFd) error {
	same := func(a int32, b unix.PollFd) int { return int(a - b.Fd) }
	if w.poller != nil && slices.CompareFunc(w.watched, fds, same) == 0 {
		return nil
	}
	_ = w.close()
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	for _, p := range fds {
		if p.Fd < 0 {
			continue
		}
		if err := unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, int(p.Fd), &unix.EpollEvent{Events: unix.EPOLLIN, Fd: p.Fd}); err != nil {
			return errors.Join(fmt.Errorf("epoll: %w", err), unix.Close(fd))
		}
	}
	if err := unix.SetNonblock(fd, true); err != nil { // without it Go does not poll it
		return errors.Join(fmt.Errorf("epoll: %w", err), unix.Close(fd))
	}
	w.poller, w.watched = os.NewFile(uintptr(fd), "packets"), w.watched[:0]
	for _, p := range fds {
		w.watched = append(w.watched, p.Fd)
	}
	w.armed = true
	return nil
}

// arm has the poller wait for events, or for none: while the worker waits in the kernel,
// each packet would wake one of Go's threads for nothing. One that has a descriptor that
// is gone is given up.
func (w *waiter) arm(events uint32) {
	if w.poller == nil || w.armed == (events != 0) {
		return
	}
	raw, err := w.poller.SyscallConn()
	failed := err
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			for _, watched := range w.watched {
				if watched >= 0 && failed == nil {
					failed = unix.EpollCtl(int(fd), unix.EPOLL_CTL_MOD, int(watched), &unix.EpollEvent{Events: events, Fd: watched})
				}
			}
		})
	}
	if w.armed = events != 0; err != nil || failed != nil {
		_ = w.close()
	}
}

// close frees what it holds; it may be used again.
func (w *waiter) close() error {
	if w.poller == nil {
		return nil
	}
	err := w.poller.Close()
	w.poller = nil
	return err
}
