package resolve

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

// maxHaltTerms bounds the conditions that halt adds to later policies, all
// together: each is compiled again for every policy that it stands in, and ten
// thousand take a second (measured 2026-11).
const maxHaltTerms = 10_000

// maxHaltSize bounds their comparisons.
const maxHaltSize = 200_000

// maxLook bounds the constants that are compared to leave a condition out.
const maxLook = 1024

// halts are the conditions of the policies with halt so far. That a policy
// halts says no more than that those after it apply to none of its flows, so
// it becomes a part of their conditions, and no later stage knows of it.
type halts struct {
	list   []haltTerm
	terms  int
	size   int // comparisons of the terms
	looked int
	told   bool
}

// haltTerm is one condition, and the comparisons that it cannot hold without.
type haltTerm struct {
	name   string // of the policy
	at     diag.Range
	cond   ir.Expr
	size   int // of cond
	needed []*ir.Compare
}

func (h *halts) add(p ir.Policy, cond ir.Expr) {
	size := 0
	ir.Walk(cond, func(ir.Expr) { size++ })
	h.list = append(h.list, haltTerm{p.Name, p.Range, cond, size, needed(cond)})
}

// leaveAlone is a policy's condition without the flows that the set exempts and
// those of earlier policies with halt.
func (r *resolver) leaveAlone(p ir.Policy, exempt ir.Expr, h *halts) ir.Expr {
	if h.told {
		return p.Cond
	}
	parts := []ir.Expr{p.Cond}
	if exempt != nil {
		parts = append(parts, ir.NewNot(exempt.Pos(), exempt))
	}
	own := needed(p.Cond)
	h.looked += len(h.list)
	for _, t := range h.list {
		if excludes(own, t.needed) {
			continue
		}
		if swallows(t.cond, own) {
			r.diags.Add(diag.New(diag.ConstantCondition, p.Range, fmt.Sprintf("The policy %q never applies: %q at %s matches all of its flows before it, and halts. Move it up, give it a lower order, or leave it out.", p.Name, t.name, t.at)))
			return &ir.Const{Value: false, Range: p.Range}
		}
		h.terms++
		h.size += t.size
		parts = append(parts, ir.NewNot(t.cond.Pos(), t.cond))
	}
	if (h.terms > maxHaltTerms || h.size > maxHaltSize || h.looked > 250*maxHaltTerms) && !h.told {
		h.told = true
		r.diags.Add(diag.New(diag.TooComplex, p.Range, fmt.Sprintf("Each policy with halt adds its condition to all policies after it, and here these are more than %d conditions or %d comparisons together. Join policies of the same effect, or let fewer of them halt.", maxHaltTerms, maxHaltSize)))
	}
	if h.told {
		return p.Cond
	}
	if len(parts) == 1 {
		return p.Cond
	}
	return ir.NewAnd(p.Range, parts...)
}

// needed are the comparisons that all flows of a condition fulfil.
func needed(e ir.Expr) []*ir.Compare {
	switch e := e.(type) {
	case *ir.Compare:
		return []*ir.Compare{e}
	case *ir.And:
		var out []*ir.Compare
		for _, x := range e.List {
			if c, ok := x.(*ir.Compare); ok && len(out) < 4 {
				out = append(out, c)
			}
		}
		return out
	case *ir.Or, *ir.Not, *ir.Const, *ir.Residual:
	}
	return nil
}

// swallows reports whether a condition holds for every flow that fulfils a list
// of comparisons, as far as can be told from a look at it.
func swallows(cond ir.Expr, own []*ir.Compare) bool {
	switch e := cond.(type) {
	case *ir.Const:
		return e.Value
	case *ir.Compare:
		return slices.ContainsFunc(own, func(x *ir.Compare) bool { return within(x, e) })
	case *ir.Or:
		return len(e.List) <= maxLook && slices.ContainsFunc(e.List, func(part ir.Expr) bool {
			c, ok := part.(*ir.Compare)
			return ok && swallows(c, own)
		})
	case *ir.And, *ir.Not, *ir.Residual:
	}
	return false
}

// within reports whether y holds wherever x does, because it asks the same
// attribute for more values.
func within(x, y *ir.Compare) bool {
	if x.Attr.Name != y.Attr.Name || x.Mask != y.Mask || x.Op != y.Op || !smallPair(x, y) {
		return false
	}
	switch x.Op {
	case ir.OpTrue:
		return true
	case ir.OpEqual, ir.OpDomain, ir.OpContains, ir.OpStartsWith, ir.OpEndsWith, ir.OpMatches:
		return !slices.ContainsFunc(x.Strings, func(s string) bool {
			_, found := slices.BinarySearch(y.Strings, s)
			return !found
		})
	case ir.OpRange:
		return !slices.ContainsFunc(x.Ranges, func(i ir.Interval) bool {
			return !slices.ContainsFunc(y.Ranges, func(j ir.Interval) bool { return j.Low <= i.Low && i.High <= j.High })
		})
	case ir.OpPrefix:
		return !slices.ContainsFunc(x.Prefixes, func(p netip.Prefix) bool {
			return !slices.ContainsFunc(y.Prefixes, func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Contains(p.Addr()) })
		})
	}
	return false
}

// smallPair reports comparisons whose constants can be held against each other.
func smallPair(x, y *ir.Compare) bool {
	return len(x.Ranges)*len(y.Ranges)+len(x.Prefixes)*len(y.Prefixes)+len(x.Strings) <= maxLook
}

// excludes reports whether no flow can fulfil both lists of comparisons, as
// far as can be told from a look at them. A false no costs size, nothing else.
func excludes(a, b []*ir.Compare) bool {
	return slices.ContainsFunc(a, func(x *ir.Compare) bool {
		return slices.ContainsFunc(b, func(y *ir.Compare) bool { return disjoint(x, y) })
	})
}

// disjoint reports whether two comparisons ask the same attribute for values of
// which none is common. A list attribute can have both values.
func disjoint(x, y *ir.Compare) bool {
	if x.Attr.Name != y.Attr.Name || x.Mask != y.Mask || x.Op != y.Op || x.Attr.Type.IsList() {
		return false
	}
	if !smallPair(x, y) {
		return false
	}
	switch x.Op {
	case ir.OpEqual:
		return !slices.ContainsFunc(x.Strings, func(s string) bool {
			_, found := slices.BinarySearch(y.Strings, s)
			return found
		})
	case ir.OpRange:
		return !slices.ContainsFunc(x.Ranges, func(i ir.Interval) bool {
			return slices.ContainsFunc(y.Ranges, func(j ir.Interval) bool { return i.Low <= j.High && j.Low <= i.High })
		})
	case ir.OpPrefix:
		return !slices.ContainsFunc(x.Prefixes, func(p netip.Prefix) bool {
			return slices.ContainsFunc(y.Prefixes, p.Overlaps)
		})
	case ir.OpTrue, ir.OpContains, ir.OpStartsWith, ir.OpEndsWith, ir.OpDomain, ir.OpMatches:
	}
	return false
}
