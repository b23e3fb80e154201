package enforcer

import "github.com/netpol/netpol/enforcer/flow"

// walks are the flows that are to be visited at intervals: those of which a packet was seen,
// or new figures read, since they were visited last. Most flows are silent most of the
// time, and looking at each of them was a quarter of what telemetry cost (2026-11).
type walks struct {
	on      bool
	touched flow.Set // since they were last shared out
	// Where it is to be known, when a walk begins, what has been touched since the last
	// one: readings in a capture file, tours, and walks of the ledger.
	reading, tour, billing flow.Set
}

// touch has a flow visited. Each change of a flow's counters, or of when it was seen last, is one.
func (k *walks) touch(id flow.ID) {
	if k.on {
		k.touched.Add(id)
	}
}

// share gives each walk the flows that were touched.
func (k *walks) share() {
	for _, s := range [...]*flow.Set{&k.reading, &k.tour, &k.billing} {
		s.Join(&k.touched)
	}
	k.touched.Clear()
}

// walk begins to note flows for a policy set's walks, which visit all of them once: what they
// were before is another policy set's.
func (w *worker) walk(p *policy) {
	w.walks = walks{on: p.ledger != nil || p.audience.rounds || p.audience.rates}
	if w.walks.on && w.table != nil {
		w.table.Gather(&w.walks.touched)
	}
	w.tour, w.endpoints = newTour(p), endpoints{}
	w.tickAt = 0
}
