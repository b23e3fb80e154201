package opt

import (
	"slices"

	"github.com/netpol/netpol/compiler/ir"
)

// Interest is what the headers of a connection say where some policy needs the
// enforcer: any of the conjunctions holds of every connection of which one that
// the enforcer decides could. False means that all connections are of interest.
//
// It wants split policies. A drop or reject that waits for the enforcer's word
// needs it, and so does a policy of which each match is logged.
func Interest(policies []ir.Policy) ([]ir.Conjunction, bool) {
	var out []ir.Conjunction
	lists := crossings{known: map[string]bool{}, left: maxCrossed}
	for i := range policies {
		p := &policies[i]
		any, ok := p.Split.Any, true
		if !p.Split.Kernel {
			any, ok = conjunctions(fold(possible(p.Cond)), false)
		} else if !p.Split.Late && !p.Audit {
			continue
		}
		if !p.Split.Kernel && !lists.take(any) {
			any = short(any)
		}
		if !ok || slices.ContainsFunc(any, func(c ir.Conjunction) bool { return len(c) == 0 }) {
			return nil, false
		}
		if out = append(out, any...); len(out) > maxElements {
			return nil, false
		}
	}
	return out, !deep([][]ir.Conjunction{out})
}

// short is the conjunctions without long lists of addresses: they hold wherever
// the others do.
func short(any []ir.Conjunction) []ir.Conjunction {
	out := make([]ir.Conjunction, len(any))
	for i, c := range any {
		out[i] = slices.DeleteFunc(slices.Clone(c), func(l ir.Literal) bool { return len(l.Test.Prefixes) > longList })
	}
	return out
}
