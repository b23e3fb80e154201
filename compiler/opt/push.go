package opt

import "github.com/netpol/netpol/compiler/ir"

// push moves negations down to the comparisons (De Morgan), so that And and Or
// are all that stands above a negated comparison. Later passes count on it.
func push(e ir.Expr) ir.Expr { return pushed(e, false) }

func pushed(e ir.Expr, negate bool) ir.Expr {
	switch e := e.(type) {
	case *ir.And:
		if negate {
			return ir.NewOr(e.Range, pushedAll(e.List, true)...)
		}
		return ir.NewAnd(e.Range, pushedAll(e.List, false)...)
	case *ir.Or:
		if negate {
			return ir.NewAnd(e.Range, pushedAll(e.List, true)...)
		}
		return ir.NewOr(e.Range, pushedAll(e.List, false)...)
	case *ir.Not:
		return pushed(e.X, !negate)
	case *ir.Const, *ir.Compare, *ir.Residual:
	}
	if negate {
		return ir.NewNot(e.Pos(), e)
	}
	return e
}

func pushedAll(list []ir.Expr, negate bool) []ir.Expr {
	out := make([]ir.Expr, len(list))
	for i, e := range list {
		out[i] = pushed(e, negate)
	}
	return out
}
