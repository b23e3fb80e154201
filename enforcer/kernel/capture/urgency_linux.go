package capture

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Of each urgencyWindow a thread runs before all others for urgencyShare at most;
// the clock is looked at every urgencyLook packets. A burst of some hundred new
// connections fits the share.
const (
	urgencyWindow = 10 * time.Millisecond
	urgencyShare  = urgencyWindow / 2
	urgencyLook   = 32
)

// urgency has the thread that reads packets run before the router's processes, by
// SCHED_FIFO (sched(7)), so that a packet is decided when it comes and not when a
// process that computes has had its turn: the kernel lets that run for some
// milliseconds first, whoever wakes up. The lowest priority of the class will do.
//
// It is bounded, because forwarding is a process too where there is much of it
// (ksoftirqd): in a flood of new connections netpold is one among others for the
// rest of the window, and the flood costs inspection, not packets.
//
// It belongs to the goroutine that reads, and goes with it from thread to thread. The
// goroutine is not tied to one: Go takes the processor from who has had it for 10 ms, and
// one that is tied waits then for another thread to give it back, which waits for a
// processor as all others do (some 10 ms and more on a busy machine, 2026-11). One that is
// not goes on as a rule in the same thread at once. The zero value does nothing.
type urgency struct {
	wanted bool
	raised bool
	thread int             // that was raised last
	plain  *unix.SchedAttr // of threads that are not raised; nil until the first is
	window time.Time       // when it began
	woke   time.Time       // when the thread began to run
	used   time.Duration   // of the window, before that
	looks  int
}

// rest is called before the thread waits. Of a thread that has had its share it
// says how long the window still is: who has waited for that calls it again, so that
// what comes next finds it raised.
func (u *urgency) rest() (window time.Duration) {
	if !u.wanted {
		return 0
	}
	u.follow()
	now := time.Now()
	if !u.woke.IsZero() {
		u.used += now.Sub(u.woke)
		u.woke = now
	}
	if u.turn(now); u.used >= urgencyShare {
		return urgencyWindow - now.Sub(u.window) + time.Millisecond
	}
	if !u.raised {
		u.raise()
	}
	return 0
}

// wake is called when it has waited.
func (u *urgency) wake() {
	if u.wanted {
		u.woke, u.looks = time.Now(), 0
		u.follow()
	}
}

// follow raises the thread that the goroutine runs on by now, in the place of the one
// before. Go may move it at any moment: then the next call puts that right.
func (u *urgency) follow() {
	if u.raised && unix.Gettid() != u.thread {
		u.lower()
		u.raise()
	}
}

// look is called for each packet.
func (u *urgency) look() {
	if u.looks++; !u.wanted || u.woke.IsZero() || u.looks%urgencyLook != 0 {
		return
	}
	now := time.Now()
	u.used, u.woke = u.used+now.Sub(u.woke), now
	u.turn(now)
	u.follow()
	switch {
	case u.raised && u.used >= urgencyShare:
		u.lower()
	case !u.raised && u.used < urgencyShare:
		u.raise()
	}
}

// turn begins a window when the last one is over.
func (u *urgency) turn(now time.Time) {
	if now.Sub(u.window) >= urgencyWindow {
		u.window, u.used = now, 0
	}
}

// raise gives up for good where the kernel refuses: Realtime says why.
func (u *urgency) raise() {
	u.thread = unix.Gettid()
	if u.plain == nil {
		if u.plain, _ = unix.SchedGetAttr(u.thread, 0); u.plain != nil {
			u.plain.Flags |= unix.SCHED_FLAG_RESET_ON_FORK // who has no capability may not take it back
		}
	}
	u.raised = u.plain != nil && beFirst(u.thread) == nil
	u.wanted = u.raised
}

func (u *urgency) lower() {
	u.raised = false
	if err := unix.SchedSetAttr(u.thread, u.plain, 0); err != nil && !errors.Is(err, unix.ESRCH) { // it has ended
		u.wanted = false
	}
}

// end leaves no thread raised.
func (u *urgency) end() {
	if u.raised {
		u.lower()
	}
	u.wanted = false
}

// beFirst raises a thread; 0 is the calling one. Threads that it makes are as others
// are.
func beFirst(thread int) error {
	return unix.SchedSetAttr(thread, &unix.SchedAttr{
		Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1, Flags: unix.SCHED_FLAG_RESET_ON_FORK,
	}, 0)
}

// Realtime says why LiveConfig.Realtime would have no effect; nil if it has.
func Realtime() error {
	refused := make(chan error)
	go func() {
		runtime.LockOSThread() // and the thread ends with the goroutine
		refused <- beFirst(0)
	}()
	return refusal(<-refused)
}

func refusal(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("be scheduled first: needs CAP_SYS_NICE or a limit of real-time priority (RLIMIT_RTPRIO) of 1, and nothing that forbids it: %w", err)
	}
	return fmt.Errorf("be scheduled first: %w", err)
}
