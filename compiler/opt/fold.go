package opt

import (
	"strings"

	"github.com/netpol/netpol/compiler/ir"
)

// fold merges what an And or Or says of one attribute into one comparison,
// drops repetitions and finds contradictions: "app == 'a' || app == 'b'"
// becomes one set, "app == 'a' && app == 'b'" false.
func fold(e ir.Expr) ir.Expr {
	switch e := e.(type) {
	case *ir.And:
		if and, ok := ir.NewAnd(e.Range, foldAll(e.List)...).(*ir.And); ok {
			return foldAnd(and)
		}
		return ir.NewAnd(e.Range, foldAll(e.List)...)
	case *ir.Or:
		if or, ok := ir.NewOr(e.Range, foldAll(e.List)...).(*ir.Or); ok {
			return foldOr(or)
		}
		return ir.NewOr(e.Range, foldAll(e.List)...)
	case *ir.Not:
		return ir.NewNot(e.Range, fold(e.X))
	case *ir.Compare:
		if isEmpty(e) {
			return &ir.Const{Value: false, Range: e.Range}
		}
	case *ir.Const, *ir.Residual:
	}
	return e
}

func foldAll(list []ir.Expr) []ir.Expr {
	out := make([]ir.Expr, len(list))
	for i, e := range list {
		out[i] = fold(e)
	}
	return out
}

func foldAnd(e *ir.And) ir.Expr {
	list, ok := conjunction(signedAll(e.List, false))
	if !ok {
		return &ir.Const{Value: false, Range: e.Range}
	}
	return ir.NewAnd(e.Range, exprs(list, false)...)
}

// foldOr uses that a || b is !(!a && !b).
func foldOr(e *ir.Or) ir.Expr {
	list, ok := conjunction(signedAll(e.List, true))
	if !ok {
		return &ir.Const{Value: true, Range: e.Range}
	}
	return ir.NewOr(e.Range, exprs(list, true)...)
}

// signed is a condition that must hold, or must not.
type signed struct {
	x      ir.Expr
	negate bool
}

func signedAll(list []ir.Expr, flip bool) []signed {
	out := make([]signed, len(list))
	for i, e := range list {
		if not, ok := e.(*ir.Not); ok {
			out[i] = signed{not.X, !flip}
			continue
		}
		out[i] = signed{e, flip}
	}
	return out
}

func exprs(list []signed, flip bool) []ir.Expr {
	out := make([]ir.Expr, len(list))
	for i, s := range list {
		out[i] = s.x
		if s.negate != flip {
			out[i] = ir.NewNot(s.x.Pos(), s.x)
		}
	}
	return out
}

// group is what a conjunction says of one attribute, or some bits of it, by one
// operation.
type group struct {
	must []*ir.Compare
	not  []*ir.Compare
}

// groupKey names a group: the attribute's name, its bits and the operation.
type groupKey struct {
	attr string
	mask uint32
	op   ir.Op
}

// conjunction simplifies a list of conditions that must all come out as their
// sign says; false means that they cannot. Each group stands where its first
// member stood.
func conjunction(list []signed) ([]signed, bool) {
	groups := map[groupKey]*group{}
	signs := map[string]bool{} // of conditions that are not merged, by key
	var out []signed
	var order []groupKey // groups in out, as place holders with a nil condition
	for _, s := range list {
		c, ok := s.x.(*ir.Compare)
		if !ok || len(c.Prefixes) > maxFolded {
			key := keyOf(s.x)
			sign, known := signs[key]
			if known && sign != s.negate {
				return nil, false
			}
			if !known {
				signs[key] = s.negate
				out = append(out, s)
			}
			continue
		}
		key := groupKey{c.Attr.Name, c.Mask, c.Op}
		g := groups[key]
		if g == nil {
			g = &group{}
			groups[key] = g
			order = append(order, key)
			out = append(out, signed{})
		}
		if s.negate {
			g.not = append(g.not, c)
		} else {
			g.must = append(g.must, c)
		}
	}
	return fill(out, order, groups)
}

// fill puts the simplified groups into their place holders.
func fill(list []signed, order []groupKey, groups map[groupKey]*group) ([]signed, bool) {
	var out []signed
	for _, s := range list {
		if s.x != nil {
			out = append(out, s)
			continue
		}
		g := groups[order[0]]
		order = order[1:]
		simple, ok := g.simplify()
		if !ok {
			return nil, false
		}
		out = append(out, simple...)
	}
	return out, true
}

// simplify merges a group; false means that it contradicts itself.
func (g *group) simplify() ([]signed, bool) {
	var not *ir.Compare
	if len(g.not) > 0 {
		not = union(g.not)
	}
	must := unique(g.must)
	if len(must) > 0 && exact(must[0]) {
		one := must[0]
		for _, c := range must[1:] {
			one = intersect(one, c)
		}
		if not != nil && one.Op != ir.OpPrefix {
			one, not = subtract(one, not), nil
		}
		must = []*ir.Compare{one}
	}
	var out []signed
	for _, c := range must {
		if isEmpty(c) || not != nil && covers(not, c) {
			return nil, false
		}
		out = append(out, signed{x: c})
	}
	if not != nil && !isEmpty(not) {
		out = append(out, signed{x: not, negate: true})
	}
	return out, true
}

// exact says that the comparison asks whether one value lies in a set, so that
// two of them can be intersected. A list of strings has several values, and
// two texts may both be contained in a third.
func exact(c *ir.Compare) bool {
	switch c.Op {
	case ir.OpEqual:
		return !c.Attr.Type.IsList()
	case ir.OpRange, ir.OpPrefix:
		return true
	case ir.OpTrue, ir.OpContains, ir.OpStartsWith, ir.OpEndsWith, ir.OpDomain, ir.OpMatches:
	}
	return false
}

// unique drops repetitions.
func unique(list []*ir.Compare) []*ir.Compare {
	if len(list) < 2 { // spares the text of a long address list
		return list
	}
	seen := make(map[string]bool, len(list))
	out := make([]*ir.Compare, 0, len(list))
	for _, c := range list {
		if key := c.String(); !seen[key] {
			seen[key] = true
			out = append(out, c)
		}
	}
	return out
}

// merged is a comparison made of several: their place is the first's, their
// text what a person would have written.
func merged(list []*ir.Compare, word string) *ir.Compare {
	first := list[0]
	texts := make([]string, 0, len(list))
	for _, c := range list {
		if c.Text != "" {
			texts = append(texts, c.Text)
		}
	}
	return &ir.Compare{Attr: first.Attr, Op: first.Op, Mask: first.Mask, Range: first.Range, Text: strings.Join(texts, word)}
}
