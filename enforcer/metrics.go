package enforcer

import (
	"maps"
	"sync"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/lang/fact"
)

const (
	// maxAppSeries bounds the applications that have figures of their own.
	maxAppSeries = 256
	// appInterval is how often what applications carried is added up.
	appInterval = 10 * time.Second
	// appKeys bounds the applications of an interval; a catalogue has some thousand.
	appKeys = 8192
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
	// Apps is what applications have carried; "other" are those that came after there
	// were maxAppSeries.
	Apps map[string]AppBytes
}

// AppBytes is what an application has carried, by the side that sent it.
type AppBytes struct{ Local, Other uint64 }

// NamingBounds are those of the histogram of analysis, in seconds.
var NamingBounds = [...]float64{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60}

// meter counts for Metrics. It is safe for concurrent use; flows are counted once in
// their lives.
type meter struct {
	mu sync.Mutex
	m  Metrics
}

func newMeter() *meter {
	return &meter{m: Metrics{Classified: map[string]uint64{}, Matches: map[string]uint64{}, Apps: map[string]AppBytes{}}}
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
	took := time.Duration(max(r.DoneAt-r.FirstSeen, 0)).Seconds()
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

// appAggregate adds up what applications carry, for the meter instead of a sink.
func appAggregate() artifact.Aggregate {
	return artifact.Aggregate{By: []string{"application"}, Interval: appInterval, Top: appKeys, Keys: appKeys}
}

// take adds an interval of appAggregate. Which applications have figures of their own
// does not change: a counter that went back would be taken for a restart.
func (t *meter) take(r *record.Aggregate) {
	t.mu.Lock()
	defer t.mu.Unlock()
	add := func(name string, local, other uint64) {
		if _, ok := t.m.Apps[name]; !ok && len(t.m.Apps) >= maxAppSeries {
			name = "other"
		}
		sum := t.m.Apps[name]
		t.m.Apps[name] = AppBytes{sum.Local + local, sum.Other + other}
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		name := row.ApplicationName
		if name == "" {
			name = "unknown"
		}
		add(name, row.LocalBytes, row.OtherBytes)
	}
	if r.Part == 1 && r.Other != (record.Sum{}) {
		add("other", r.Other.LocalBytes, r.Other.OtherBytes)
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
	out.Classified, out.Matches, out.Apps = maps.Clone(out.Classified), maps.Clone(out.Matches), maps.Clone(out.Apps)
	return out
}

// isMeter says that an account of the ledger is the meter's.
func isMeter(a *artifact.Aggregate) bool { return a.Name == "" }
