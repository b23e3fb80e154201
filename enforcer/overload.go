package enforcer

import (
	"time"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/lang/fact"
)

// lossReach is how long after packets were lost a flow may begin and still have
// lost its own first ones: it shows itself by what it sends next.
const lossReach = int64(5 * time.Second)

// lossSource is a Source that knows how many packets never reached it.
type lossSource interface {
	Lost() uint64
}

// noteLoss looks whether packets were lost since the last look.
func (w *worker) noteLoss() {
	if w.losses == nil {
		return
	}
	if n := w.losses.Lost(); n != w.lost {
		w.lost, w.lostAt = n, w.clock.now
	}
}

// noteUnsure has conntrack listed again when the label sink says that updates may
// be lost: what the kernel has on each connection is then held against what was decided.
func (w *worker) noteUnsure() {
	if w.crew == nil {
		return
	}
	if s, ok := w.config.Labels.(lossSource); ok {
		if n := s.Lost(); n != w.unwritten {
			w.unwritten = n
			// A list shows what was told a little before it.
			w.crew.healAt.CompareAndSwap(0, w.clock.now+2*int64(onTheWay))
		}
	}
	if at := w.crew.healAt.Load(); w.lane == 0 && at != 0 && w.clock.now >= max(at, w.healed+int64(w.config.Interval)) {
		w.crew.healAt.Store(0)
		w.healed, w.adopted = w.clock.now, false
		w.stats.Relisted++
	}
}

// crammed says that one more flow in inspection would be too many: the workers
// together have as many as there may be, and this one has its share. A share cannot
// be taken by others, so that a flood on one lane leaves room on the rest; what is over
// the bound for that is given back with each flow that those who took more begin.
func (w *worker) crammed() bool {
	return w.openings.Used() >= w.config.MaxOpening && w.engine.opening.Load() >= int64(w.engine.config.MaxOpening)
}

// crowded notes that a flow was not looked at as it should have been, for lack
// of room.
func (w *worker) crowded(r *flow.Record) {
	if !r.Has(flow.Done) {
		r.Set(flow.Crowded)
	}
}

// crowdOut notes it if more buffers were refused than before.
func (w *worker) crowdOut(r *flow.Record, refused uint64) {
	if w.buffers.Refused() != refused {
		w.crowded(r)
	}
}

// shedding says of a flow whose analysis ends that it ends without a name, and
// that this may be the load's fault. result is what the last dissector said before
// it was told that nothing more comes: what it has recognised to the end is
// decided, whatever was lost beside it.
func (w *worker) shedding(r *flow.Record, f *fact.Facts, result dissect.Result) bool {
	w.noteLoss()
	lossy := w.lostAt != 0 && w.lostAt+lossReach >= r.FirstSeen
	if !r.Has(flow.Crowded) && !lossy {
		return false
	}
	return result != dissect.Match && f.Hostname == "" && (f.Application == "" || f.Guessed)
}

// shed gives a flow up: policies say by on_overload what becomes of it.
func (w *worker) shed(r *flow.Record) {
	r.Set(flow.Shed)
	w.stats.Shed++
}
