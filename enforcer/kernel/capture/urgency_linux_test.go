package capture

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// scheduled runs f on a thread of its own, which ends with it.
func scheduled(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		f()
	}()
	<-done
}

func first(t *testing.T) bool {
	t.Helper()
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return attr.Policy == unix.SCHED_FIFO
}

// unprivileged takes the thread's capabilities.
func unprivileged(t *testing.T) {
	t.Helper()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&header, &none[0]); err != nil {
		t.Fatal(err)
	}
}

func TestReaderIsFirstForItsShare(t *testing.T) {
	if err := Realtime(); err != nil {
		kerneltest.Unable(t, "%v", err)
	}
	scheduled(func() {
		u := urgency{wanted: true}
		if window := u.rest(); window != 0 || !first(t) {
			t.Errorf("waits for packets: first %v, %d ms to wait; want it first at once", first(t), window)
		}
		u.wake()
		for began := time.Now(); first(t) && time.Since(began) < time.Second; {
			u.look()
		}
		if first(t) {
			t.Fatal("packets for a second, and still first")
		}
		for began := time.Now(); !first(t) && time.Since(began) < time.Second; {
			u.look()
		}
		if !first(t) {
			t.Fatal("not first in a later window")
		}
		for u.raised {
			u.look()
		}
		time.Sleep(u.rest())
		if window := u.rest(); window != 0 || !first(t) {
			t.Errorf("waits for packets after a flood: first %v, %d ms to wait; want it first", first(t), window)
		}
	})
}

// Who was let by a limit alone, or has given its capability up, goes back as well.
func TestReaderGivesItsPlaceUpWithoutCapability(t *testing.T) {
	if err := Realtime(); err != nil {
		kerneltest.Unable(t, "%v", err)
	}
	scheduled(func() {
		u := urgency{wanted: true}
		u.rest()
		unprivileged(t)
		u.wake()
		for began := time.Now(); first(t) && time.Since(began) < time.Second; {
			u.look()
		}
		if first(t) {
			t.Error("packets for a second, and still first")
		}
	})
}

func TestReaderThatMayNotBeFirstReadsOn(t *testing.T) {
	scheduled(func() {
		unprivileged(t)
		u := urgency{wanted: true}
		for range 2 {
			if window := u.rest(); window != 0 || first(t) {
				t.Errorf("first %v, %d ms to wait; want neither", first(t), window)
			}
			u.wake()
			u.look()
		}
		want := "be scheduled first: needs CAP_SYS_NICE or a limit of real-time priority (RLIMIT_RTPRIO) of 1, and nothing that forbids it: operation not permitted"
		if got := refusal(beFirst(0)); got == nil || got.Error() != want {
			t.Errorf("got %v, want %s", got, want)
		}
	})
}

// Go moves goroutines from thread to thread: the place goes with the reader, and when it
// stops nobody has it.
func TestReaderTakesItsPlaceAlong(t *testing.T) {
	if err := Realtime(); err != nil {
		kerneltest.Unable(t, "%v", err)
	}
	is := func(thread int) bool {
		attr, err := unix.SchedGetAttr(thread, 0)
		return err == nil && attr.Policy == unix.SCHED_FIFO
	}
	u := urgency{wanted: true}
	scheduled(func() {
		u.rest()
		before := u.thread
		scheduled(func() {
			u.wake()
			if now := unix.Gettid(); now == before || !is(now) || is(before) {
				t.Errorf("thread %d first %v, and %d, on which it was, %v", now, is(now), before, is(before))
			}
			if u.end(); first(t) {
				t.Error("still first when it reads no more")
			}
		})
	})
}
