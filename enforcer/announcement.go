package enforcer

import (
	"slices"
	"time"

	"github.com/netpol/netpol/enforcer/telemetry/aggregate"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// announcement is an interval of the ledger that is over and being told.
type announcement struct {
	*aggregate.Closed
	ledger *ledger
	tell   func(*record.Aggregate)
}

// announceFor bounds how long a worker without packets tells of intervals before it looks for
// other work.
const announceFor = 10 * time.Millisecond

// announce tells some of the intervals that are over. While packets wait it takes one step, of
// 0.3 ms at most.
func (w *worker) announce() {
	if len(w.announcements) == 0 {
		return
	}
	until := time.Now().Add(announceFor)
	for len(w.announcements) > 0 {
		if a := &w.announcements[0]; !a.Step(a.tell) {
			w.toldInterval()
		}
		if w.pending() || time.Now().After(until) {
			return
		}
	}
}

// announceAll tells all that is left of them.
func (w *worker) announceAll() {
	for len(w.announcements) > 0 {
		a := &w.announcements[0]
		a.Finish(a.tell)
		w.toldInterval()
	}
}

// toldInterval drops the first interval, of which all is told.
func (w *worker) toldInterval() {
	a := &w.announcements[0]
	a.ledger.mu.Lock()
	a.Return()
	a.ledger.mu.Unlock()
	w.announcements = slices.Delete(w.announcements, 0, 1)
}
