package sink

import (
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

// Emit fills in Notify of the effects, of which there is one a policy, or none
// at all after other mistakes. Policies on trial notify as well.
func Emit(set *ir.Set, effects []artifact.Effect) diag.List {
	var diags diag.List
	for i := range set.Policies {
		p := &set.Policies[i]
		if len(p.Notify) == 0 {
			continue
		}
		if why := impossible(p); why != "" {
			diags.Add(diag.New(diag.ConflictingArguments, p.Range, why))
			continue
		}
		if i < len(effects) {
			effects[i].Notify = indexes(set.Sinks, p.Notify)
		}
	}
	diags.Compact()
	return diags
}

// impossible says why netpold could not tell when a flow matches the policy;
// empty when it can.
func impossible(p *ir.Policy) string {
	switch {
	case len(p.Packet) > 0:
		return "The policy asks for what only the kernel's rules know of each packet (" + p.Packet.String() +
			"), and sinks are notified by netpold. Notify from a policy that asks for the rest alone; total_rate and duration can be asked for. log = true has the kernel tell of packets."
	case p.Quota != nil:
		return "The effects of a policy with a quota begin when the kernel sees it used up, and sinks are notified by netpold, which does not. Write a policy of its own for notify; log = true has the kernel tell of packets."
	}
	return ""
}

func indexes(sinks []ir.Sink, names []string) []int {
	var out []int
	for i := range sinks {
		if slices.Contains(names, sinks[i].Sink.Name) {
			out = append(out, i)
		}
	}
	return out
}

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
