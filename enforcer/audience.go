package enforcer

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/lang/fact"
)

// audience is who is told of what: the sinks of a bundle, and which policies
// notify them. It is immutable.
type audience struct {
	sinks   []listener
	asked   record.Kinds     // by any sink
	when    *program.Program // the sinks' conditions, by place; nil without one
	counts  bool             // what is asked for are counters
	rates   bool             // and how they change, so that flows' ends alone do not tell it
	ages    bool             // and how old flows are, which changes without packets
	weighs  bool             // a condition asks for counters
	kpis    bool             // a condition asks how flows fare
	repeats bool             // more than one record is told of a flow
	once    bool             // a sink is told the details of a flow once
	notices map[int]notice   // by policy
	rounds  bool             // something is told at intervals
}

// listener is a sink as the engine knows it.
type listener struct {
	kinds       record.Kinds
	conditional bool
	interval    int64 // nanoseconds
	whole       bool  // wants all that is known of a flow in its flow_stats
	once        bool  // is told the details of a flow once
}

// notice is what is told of a policy that notifies sinks.
type notice struct {
	sinks  []int
	names  []uint64      // of policy and sink, among all bundles
	record record.Policy // without evidence
	asks   []int         // attributes
}

// periodic are the kinds that the engine tells at intervals.
var periodic = record.Set(record.KindFlowStats, record.KindEndpoints)

// measured are the kinds that say how flows fared.
var measured = record.Set(record.KindFlowStats, record.KindFlowEnd)

func newAudience(b *artifact.Bundle, prog *program.Program) (*audience, error) {
	a := &audience{notices: make(map[int]notice)}
	for _, s := range b.Sinks {
		l := listener{conditional: s.When != "", interval: int64(max(s.Interval, time.Second)), whole: s.Kind == artifact.SinkIPFIX, once: s.Details == artifact.DetailsOnce}
		for _, name := range s.Records {
			kind, ok := record.KindOf(name)
			if !ok {
				return nil, fmt.Errorf("load bundle: sink %q: there are no records %q", s.Name, name)
			}
			l.kinds |= record.Set(kind)
		}
		a.sinks = append(a.sinks, l)
		a.asked |= l.kinds
		a.rounds = a.rounds || l.kinds&periodic != 0
		a.once = a.once || l.once
	}
	a.weighs = slices.ContainsFunc(b.SinkProgram.Reads, isCounter)
	a.kpis = slices.ContainsFunc(b.SinkProgram.Reads, isMeasured)
	a.rates = a.weighs || a.asked.Has(record.KindFlowStats)
	a.repeats = a.asked.Has(record.KindFlowStats) || a.asked.Has(record.KindFlow) && a.asked.Has(record.KindFlowEnd)
	a.ages = slices.Contains(b.SinkProgram.Reads, "duration")
	a.counts = a.rates || a.asked.Has(record.KindFlowEnd) || len(b.Aggregates) > 0
	if slices.ContainsFunc(a.sinks, func(l listener) bool { return l.conditional }) ||
		slices.ContainsFunc(b.Aggregates, func(a artifact.Aggregate) bool { return a.When != "" }) {
		view := *b
		view.Program, view.Labels, view.Policies = b.SinkProgram, nil, make([]artifact.Policy, len(b.Sinks)+len(b.Aggregates))
		var err error
		if a.when, err = program.Load(&view); err != nil {
			return nil, fmt.Errorf("conditions of sinks: %w", err)
		}
	}
	for _, one := range b.Aggregates {
		for _, sink := range one.Sinks {
			if sink < 0 || sink >= len(b.Sinks) {
				return nil, fmt.Errorf("load bundle: aggregate %q goes to sink %d of %d", one.Name, sink, len(b.Sinks))
			}
		}
	}
	for id, e := range b.Program.Effects {
		for _, sink := range e.Notify {
			if sink < 0 || sink >= len(b.Sinks) {
				return nil, fmt.Errorf("load bundle: policy %d notifies sink %d of %d", id, sink, len(b.Sinks))
			}
		}
		if len(e.Notify) > 0 {
			a.notices[id] = newNotice(b, id, prog.Asks(id))
		}
	}
	return a, nil
}

// isCounter says that an attribute is told by a flow's counters.
func isCounter(name string) bool {
	a, ok := fact.Lookup(name)
	return ok && counted(a)
}

// isMeasured says that an attribute tells how a flow has fared.
func isMeasured(name string) bool {
	a, ok := fact.Lookup(name)
	return ok && a.Decided == fact.Measured
}

func newNotice(b *artifact.Bundle, id int, asks []int) notice {
	p, sinks := &b.Policies[id], b.Program.Effects[id].Notify
	var names []uint64
	for _, sink := range sinks {
		sum := sha256.Sum256([]byte(p.Name + "\x00" + b.Sinks[sink].Name))
		names = append(names, binary.LittleEndian.Uint64(sum[:]))
	}
	return notice{
		sinks: sinks, names: names, asks: asks,
		record: record.Policy{
			Name: p.Name, File: p.File, Line: p.Line, Criteria: p.Criteria, Labels: p.Labels,
			Verdict: p.Verdict, DSCP: p.DSCP, Audit: p.Audit,
		},
	}
}

// attend goes over to a bundle's sinks.
func (w *worker) attend(p *policy) {
	w.when, w.said = nil, [saidSlots]saidSlot{} // names of applications are the policies'
	if p.audience.when != nil {
		w.when = p.audience.when.NewMachine()
	}
	w.walk(p)
	w.sorts = w.config.Outlets != nil && p.audience.asked.Has(record.KindInterfaceStats)
	w.fares = p.ledger != nil && p.ledger.health
	w.asksKPIs = w.fares || p.audience.kpis || w.config.Outlets != nil && p.audience.asked&measured != 0
	w.measures = w.asksKPIs || w.watching()
	if w.config.Outlets != nil {
		w.config.Outlets.Use(p.bundle.Sinks)
	}
	w.attention()
}
