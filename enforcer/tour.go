package enforcer

import (
	"math"
	"slices"
	"time"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// vanishSlice bounds how many flows are ended with one reading: 8192 take
// some 20 ms.
const vanishSlice = 8192

// tour is a walk over flows for what sinks are told at intervals.
type tour struct {
	due, since []int64 // by sink: when it is told again, and since when it was not
	on         []int   // the sinks of this walk; empty while there is none
	all        bool    // they are all that are told of flows
	at         flow.ID // where to go on
}

func newTour(p *policy) tour {
	n := len(p.audience.sinks)
	return tour{due: make([]int64, n), since: make([]int64, n)}
}

// round begins a walk when a sink is due, and goes on with one a little.
func (w *worker) round() {
	if !w.policy.audience.rounds || w.config.Outlets == nil {
		return
	}
	if len(w.tour.on) == 0 && !w.setOut(w.clock.now) {
		return
	}
	if w.tour.at = w.table.SliceOf(&w.walks.tour, w.tour.at, sweepSlice, w.visit); w.tour.at == 0 {
		w.arrive()
	}
}

// roundAt makes a whole walk in a capture file, if one is due at a packet's
// time stamp.
func (w *worker) roundAt(stamp int64) {
	if !w.policy.audience.rounds || w.config.Outlets == nil {
		return
	}
	if w.clock.now == 0 {
		w.clock.now = stamp // the first packet
	}
	if !w.setOut(stamp) {
		return
	}
	w.table.SliceOf(&w.walks.tour, 0, math.MaxInt, w.visit)
	w.arrive()
}

// setOut notes the sinks that are due; false when none is.
func (w *worker) setOut(now int64) bool {
	t := &w.tour
	t.all = true
	for i, s := range w.policy.audience.sinks {
		if s.kinds&periodic == 0 {
			continue
		}
		if t.due[i] == 0 {
			t.since[i], t.due[i] = now, now+s.interval
		}
		if now >= t.due[i] {
			t.on = append(t.on, i)
		} else if s.kinds.Has(record.KindFlowStats) {
			t.all = false
		}
	}
	if len(t.on) == 0 {
		return false
	}
	t.at = 0
	w.walks.share()
	return true
}

// visit tells the walk's sinks of a flow, and says whether another walk has to.
func (w *worker) visit(id flow.ID, r *flow.Record) (again bool) {
	t, a := &w.tour, w.policy.audience
	stats := false
	for _, i := range t.on {
		stats = stats || a.sinks[i].kinds.Has(record.KindFlowStats) && r.LastSeen > t.since[i]
	}
	if a.asked.Has(record.KindEndpoints) {
		w.meet(id, r)
	}
	if stats {
		w.tellStats(r)
	}
	return !t.all
}

// tellStats tells the walk's sinks what a flow has carried, if they do not know
// it yet.
func (w *worker) tellStats(r *flow.Record) {
	f, k := &w.facts, w.saidBefore(r)
	if k != nil && w.when == nil {
		f = w.outline(r, k)
	} else {
		w.load(r, f)
	}
	known := func(i int) bool { return !slices.Contains(w.tour.on, i) || r.LastSeen <= w.tour.since[i] }
	to := slices.DeleteFunc(w.takers(record.KindFlowStats, f), known)
	if len(to) == 0 {
		return
	}
	s := &w.told.stats
	s.FlowHead = w.head(record.KindFlowStats, f)
	s.Flow.Brief = w.saidOf(r, f).Brief
	w.brief(&s.Flow.Brief, r)
	w.counters(&s.Flow.Counters, r, f)
	w.quality(&s.Flow.Quality, r, f)
	s.Whole = nil
	if slices.ContainsFunc(to, func(i int) bool { return w.policy.audience.sinks[i].whole }) {
		to = slices.Clone(to) // evaluating says anew whom it goes to
		s.Whole = &w.told.flow.Flow
		w.load(r, &w.facts)
		w.detail(s.Whole, r, &w.facts, w.eval(r, &w.facts).Policies)
	}
	w.offer(to, s)
}

// arrive ends a walk.
func (w *worker) arrive() {
	t := &w.tour
	var hosts []int
	for _, i := range t.on {
		interval := w.policy.audience.sinks[i].interval
		if w.policy.audience.sinks[i].kinds.Has(record.KindEndpoints) {
			hosts = append(hosts, i)
		}
		t.since[i] = t.due[i]
		if t.due[i] += interval; t.due[i] <= w.clock.now { // a gap without packets
			t.due[i] = w.clock.now + interval
		}
	}
	t.on, t.at = t.on[:0], 0
	w.tellEndpoints(hosts)
}

// vanished ends the flows that two whole lists of conntrack in a row did not
// have: the last was ordered at a time. Without anybody who is told of ends they
// time out by themselves.
func (w *worker) vanished(at int64) {
	if !w.tellsEnds() {
		return
	}
	left := vanishSlice
	w.table.Each(func(id flow.ID, r *flow.Record) bool {
		if r.Tally == 0 || !r.Has(flow.Done|flow.Told) || min(time.Duration(at-w.tallies.At(r.Tally).readAt), r.ToldAgo(at)) < 2*w.config.Interval {
			return true
		}
		w.conclude(r, reasonOf(r, record.ReasonExpired))
		w.table.Remove(id)
		left--
		return left > 0
	})
}
