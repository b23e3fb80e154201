package enforcer

import (
	"maps"
	"sync"
	"time"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/lang/fact"
)

// Metrics are figures that Stats has no room for: by method, by policy, by
// application. They only grow.
type Metrics struct {
	// Classified are flows whose analysis is over, by what their name rests on:
	// fact.By..., port, or none.
	Classified map[string]uint64
	// Matches are flows that a policy matched when their analysis was over.
	Matches map[string]uint64
	// Naming is how long analysis took, from a flow's first packet on: how many took
	// at most NamingBounds of it, and how long all together.
	Naming        [len(NamingBounds)]uint64
	NamingSeconds float64
	// Apps is what applications have carried, and how they have fared if Health, the maxAppSeries that carried most; "other" is what
	// the others carried while they were not among them.
	Apps   map[string]AppFigures
	Health bool
}

// NamingBounds are those of the histogram of analysis, in seconds.
var NamingBounds = [...]float64{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60}

// meter counts for Metrics. It is safe for concurrent use; flows are counted once in
// their lives.
type meter struct {
	mu   sync.Mutex
	m    Metrics // without Apps and Health
	apps charts
	// health says that it is told how applications fare, or was.
	health bool
}

func newMeter() *meter {
	return &meter{m: Metrics{Classified: map[string]uint64{}, Matches: map[string]uint64{}}, apps: newCharts(maxAppSeries)}
}

// measure counts a flow whose analysis is over, if anybody asks.
func (w *worker) measure(r *flow.Record, f *fact.Facts, policies []int) {
	t := w.engine.meter
	if t == nil {
		return
	}
	_, by := w.application(f)
	switch {
	case !named(f):
		by = "none"
	case by == "":
		by = "protocol"
	}
	took := time.Duration(max(w.clock.now-r.FirstSeen, 0)).Seconds()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.m.Classified[by]++
	for _, id := range policies {
		t.m.Matches[w.policy.bundle.Policies[id].Name]++
	}
	t.m.NamingSeconds += took
	for i, bound := range NamingBounds {
		if took <= bound {
			t.m.Naming[i]++
		}
	}
}

// Metrics are the engine's figures so far; zero unless Config.Metrics asks for them.
// Safe for concurrent use.
func (e *Engine) Metrics() Metrics {
	if e.meter == nil {
		return Metrics{}
	}
	e.meter.mu.Lock()
	defer e.meter.mu.Unlock()
	out := e.meter.m
	out.Health = e.meter.health
	out.Classified, out.Matches, out.Apps = maps.Clone(out.Classified), maps.Clone(out.Matches), e.meter.apps.series()
	for i := range e.policy.Load().bundle.Policies { // a rate needs a counter that has been 0
		out.Matches[e.policy.Load().bundle.Policies[i].Name] += 0
	}
	return out
}
