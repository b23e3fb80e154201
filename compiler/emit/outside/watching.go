package outside

import (
	"slices"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

// Policies are the conditions of sinks, and after them those of aggregates, as
// policies, for the passes that work on those. Without a condition it is always met.
func Policies(set *ir.Set) []ir.Policy {
	out := make([]ir.Policy, 0, len(set.Sinks)+len(set.Aggregates))
	add := func(name string, cond ir.Expr, at diag.Range) {
		if cond == nil {
			cond = &ir.Const{Value: true, Range: at}
		}
		out = append(out, ir.Policy{ID: len(out), Name: name, Range: at, Cond: cond})
	}
	for _, s := range set.Sinks {
		add(s.Sink.Name, s.Cond, s.Range)
	}
	for _, a := range set.Aggregates {
		add(a.Aggregate.Name, a.Cond, a.Range)
	}
	return out
}

// Conditional says that a sink or an aggregate has a condition.
func Conditional(set *ir.Set) bool {
	return slices.ContainsFunc(set.Sinks, func(s ir.Sink) bool { return s.Cond != nil }) ||
		slices.ContainsFunc(set.Aggregates, func(a ir.Aggregate) bool { return a.Cond != nil })
}

// Watching are the conditions of the sinks that take records of flows, and of
// aggregates: netpold must be shown what they could meet.
func Watching(set *ir.Set) []ir.Policy {
	var out []ir.Policy
	for i, p := range Policies(set) {
		if i >= len(set.Sinks) || set.Sinks[i].Sink.Watches() {
			out = append(out, p)
		}
	}
	return out
}
