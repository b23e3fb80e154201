package dissect

import (
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Fuse says when a dissector that fails is asked no more. The zero value is
// never.
type Fuse struct {
	Panics int           // that many
	Within time.Duration // in that time, by the time of packets
}

// Fault is a dissector that has panicked.
type Fault struct {
	Name   string
	Panics uint64
	First  string // what it said the first time, and where
	Off    bool   // it is asked no more
}

// faults are what a Scheduler knows of its dissectors' panics. Safe for
// concurrent use.
type faults struct {
	off atomic.Uint64 // those that are asked no more, as a set

	mu   sync.Mutex
	list []failing // by place in the list; guarded by mu
}

// failing is one dissector's record.
type failing struct {
	panics uint64
	first  string
	recent []int64 // times of the last panics, at most as many as blow the fuse
}

// note takes a panic of dissector i down; now is packet time in nanoseconds.
func (t *faults) note(i int, fuse Fuse, value any, now int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := &t.list[i]
	if f.panics++; f.panics == 1 {
		f.first = fmt.Sprintf("%v, in %s", value, panicPlace())
	}
	if fuse.Panics <= 0 {
		return
	}
	if len(f.recent) == fuse.Panics {
		f.recent = slices.Delete(f.recent, 0, 1)
	}
	if f.recent = append(f.recent, now); len(f.recent) == fuse.Panics && now-f.recent[0] <= int64(fuse.Within) {
		t.off.Or(1 << i)
	}
}

// restore has all dissectors asked again.
func (t *faults) restore() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.off.Store(0)
	for i := range t.list {
		t.list[i].recent = nil
	}
}

// left takes those that are asked no more out of a flow's candidates.
func (t *faults) left(c *Candidates) {
	c.left &^= set(t.off.Load())
}

// panicPlace is the function and line that panicked, of a panic that is being
// recovered: the first frame above the runtime's.
func panicPlace() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs[:])])
	panicked := false
	for {
		f, more := frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			panicked = true
		case panicked && !strings.HasPrefix(f.Function, "runtime."):
			return fmt.Sprintf("%s (%s:%d)", path.Base(f.Function), path.Base(f.File), f.Line)
		case !more:
			return "an unknown place"
		}
	}
}
