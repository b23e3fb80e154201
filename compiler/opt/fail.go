package opt

import "github.com/netpol/netpol/compiler/ir"

// settle finishes a split: what waits for the enforcer's word does not go to
// rules on the first packet, and policies that fail closed or hold get the
// condition for it.
func settle(policies []ir.Policy) {
	lists := crossings{known: map[string]bool{}, left: maxCrossed}
	for i := range policies {
		p := &policies[i]
		if p.Split.Late && len(p.Packet) > 0 {
			// A verdict of the kernel's own waits by its claim; what a label
			// leads to cannot.
			p.Split.Kernel, p.Split.Any = false, nil
		}
		stops := p.Verdict == ir.Drop || p.Verdict == ir.Reject
		if p.Closes() && stops && !p.Split.Kernel && !p.Audit {
			p.Split.FailClosed, p.Split.Fail = true, headers(p, &lists)
		}
		// What the kernel decides is decided on the first packet, unless it waits
		// for the enforcer's word.
		if p.Hold && (!p.Split.Kernel || p.Split.Late) {
			p.Split.Holds, p.Split.Held = true, headers(p, &lists)
		}
	}
}

// headers is what headers say of flows that the policy could match.
func headers(p *ir.Policy, lists *crossings) []ir.Conjunction {
	if p.Split.Kernel {
		return p.Split.Any
	}
	any, ok := conjunctions(fold(possible(p.Cond)), false)
	switch {
	case !ok:
		return []ir.Conjunction{{}}
	case !lists.take(any):
		return short(any)
	}
	return any
}

// possible is what headers say of a normalised condition: it holds wherever the
// condition could.
func possible(e ir.Expr) ir.Expr {
	switch e := e.(type) {
	case *ir.And:
		return ir.NewAnd(e.Range, possibleAll(e.List)...)
	case *ir.Or:
		return ir.NewOr(e.Range, possibleAll(e.List)...)
	case *ir.Not:
		if c, ok := e.X.(*ir.Compare); ok && InKernel(c) {
			return e
		}
	case *ir.Compare:
		if InKernel(e) {
			return e
		}
	case *ir.Const:
		return e
	case *ir.Residual:
	}
	return &ir.Const{Value: true, Range: e.Pos()}
}

func possibleAll(list []ir.Expr) []ir.Expr {
	out := make([]ir.Expr, len(list))
	for i, e := range list {
		out[i] = possible(e)
	}
	return out
}
