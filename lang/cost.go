package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/netpol/netpol/lang/diag"
)

// HCL evaluates without a bound: a for expression over a long list that pastes
// a long string takes 50 GB. So what an expression can cost is estimated before
// it is evaluated, and all of a set share one budget that grows with its files.
// The unit is a byte copied; a value counts as nodeCost of them.
const (
	nodeCost     = 16
	baseWork     = 16 << 20
	workPerByte  = 32       // literals cost about 16 a byte
	maxWork      = 80 << 20 // a second (measured 2026-11)
	maxOneWork   = 8 << 20
	hopelessWork = 1 << 28 // keeps sums of a few from overflowing, 32 bits included
	// callCost is one call of a function besides its arguments: it can fail, and
	// every failure is a diagnostic of half a kilobyte.
	callCost = 512
)

// workFor is the budget of a set.
func workFor(files map[string][]byte) int {
	total := baseWork
	for _, src := range files {
		total += workPerByte * len(src)
	}
	return min(total, maxWork)
}

// affordable takes what an expression costs from the budget. It reports an
// expression that costs too much by itself, and the first that finds too little
// left; after that one nothing is evaluated any more, without a word.
func (d *decoder) affordable(expr hclsyntax.Expression) bool {
	if d.work < 0 {
		return false
	}
	c := d.cost(expr, nil)
	if c > maxOneWork {
		d.charge(maxOneWork) // the estimate itself went through the lists
		d.diags.Add(diag.New(diag.TooLarge, toRange(expr.Range()), "Evaluating this would take too long: it repeats large values. Split it, or write it shorter."))
		return false
	}
	if !d.charge(c) {
		d.exhausted(expr)
		return false
	}
	return true
}

// charge takes work from the budget and reports whether there was enough.
func (d *decoder) charge(work int) bool {
	d.work = max(d.work-work, -1)
	return d.work >= 0
}

// exhausted reports the expression that used the budget up.
func (d *decoder) exhausted(expr hclsyntax.Expression) {
	d.diags.Add(diag.New(diag.TooLarge, toRange(expr.Range()), tooMuchWork))
}

const tooMuchWork = "Evaluating the values of this set would take too long: large values are used too often. Use large lists fewer times, as in one address_group."

// spend is charge for what is no expression: it reports the first place that
// finds too little left.
func (d *decoder) spend(work int, at diag.Range) bool {
	if d.work < 0 {
		return false // has been reported
	}
	if !d.charge(work) {
		d.diags.Add(diag.New(diag.TooLarge, at, tooMuchWork))
		return false
	}
	return true
}

// cost is an upper bound of what evaluating an expression copies: each part
// counts once for every expression that it is inside of. Names that are no
// var.x or local.x cost what names says, or nothing.
func (d *decoder) cost(expr hclsyntax.Node, names map[string]int) int {
	m := &meter{d: d, names: names, sums: []int{0}}
	hclsyntax.Walk(expr, m) // our walker returns no diagnostics
	return m.sums[0]
}

// meter walks an expression; sums has one entry for each open node. Inside of
// conditionals and splats, parts keeps the cost of each closed one: measuring
// them anew from every node above would double with each level.
type meter struct {
	d     *decoder
	names map[string]int
	sums  []int
	parts map[hclsyntax.Expression]int
	// choices keeps the width of each closed conditional.
	choices map[*hclsyntax.ConditionalExpr]int
}

// Enter implements hclsyntax.Walker.
func (m *meter) Enter(n hclsyntax.Node) hcl.Diagnostics {
	own := nodeCost
	switch n := n.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		own += m.d.sizeOf(n.Traversal, m.names)
	case *hclsyntax.LiteralValueExpr:
		own += sizeOfValue(n.Val)
	case *hclsyntax.ForExpr:
		own += m.d.forCost(n)
	case *hclsyntax.FunctionCallExpr:
		own += callCost
	case *hclsyntax.SplatExpr, *hclsyntax.ConditionalExpr:
		if m.parts == nil {
			m.parts, m.choices = map[hclsyntax.Expression]int{}, map[*hclsyntax.ConditionalExpr]int{}
		}
	}
	m.sums = append(m.sums, own)
	return nil
}

// Exit implements hclsyntax.Walker.
func (m *meter) Exit(n hclsyntax.Node) hcl.Diagnostics {
	last := len(m.sums) - 1
	sum := m.sums[last]
	switch n := n.(type) {
	case *hclsyntax.SplatExpr:
		sum += times(m.parts[n.Source]/nodeCost, m.parts[n.Each])
	case *hclsyntax.ConditionalExpr:
		// The two results get one type, and cty compares the type of each element
		// with that of each other when they are lists of unequal length.
		a, b := m.width(n.TrueResult), m.width(n.FalseResult)
		sum += times(a+b, a+b)
		m.choices[n] = max(a, b)
	}
	sum = min(hopelessWork, sum)
	if e, ok := n.(hclsyntax.Expression); ok && m.parts != nil {
		m.parts[e] = sum
	}
	m.sums[last-1] = min(hopelessWork, m.sums[last-1]+sum)
	m.sums = m.sums[:last]
	return nil
}

// forCost is what the body of a for expression costs, all rounds together. Its
// collection holds no other for expression (see checkTokens).
func (d *decoder) forCost(n *hclsyntax.ForExpr) int {
	if d.cost(n.CollExpr, nil) > maxOneWork {
		return hopelessWork
	}
	list, hclDiags := n.CollExpr.Value(d.namesIn(n.CollExpr))
	if hclDiags.HasErrors() || !list.IsKnown() || list.IsNull() || !list.CanIterateElements() {
		return 0
	}
	largest, rounds := 0, 0
	for it := list.ElementIterator(); it.Next(); rounds++ {
		key, value := it.Element()
		largest = max(largest, sizeOfValue(key), sizeOfValue(value))
	}
	names := map[string]int{n.KeyVar: largest, n.ValVar: largest}
	body := d.cost(n.ValExpr, names)
	for _, e := range []hclsyntax.Expression{n.KeyExpr, n.CondExpr} {
		if e != nil {
			body += d.cost(e, names)
		}
	}
	return times(rounds, min(body, maxOneWork+1))
}

// width is how many elements of different types a value may have; its cost is
// in parts.
func (m *meter) width(expr hclsyntax.Expression) int {
	switch e := unwrap(expr).(type) {
	case *hclsyntax.TemplateExpr, *hclsyntax.LiteralValueExpr, *hclsyntax.BinaryOpExpr, *hclsyntax.UnaryOpExpr:
		return 0
	case *hclsyntax.ConditionalExpr:
		return m.choices[e]
	case *hclsyntax.ScopeTraversalExpr:
		v, hclDiags := e.Traversal.TraverseAbs(m.d.namesIn(e))
		if hclDiags.HasErrors() || !v.Type().IsTupleType() && !v.Type().IsObjectType() {
			return 0
		}
		return elementCount(v)
	}
	return m.parts[expr] / nodeCost
}

// sizeOf is the size of the value that a reference means.
func (d *decoder) sizeOf(t hcl.Traversal, names map[string]int) int {
	name, _ := traversalName(t)
	switch root := t.RootName(); root {
	case "var":
		if v := d.vars[name]; v != nil {
			return v.size
		}
	case "local":
		if l := d.locals[name]; l != nil {
			return l.size
		}
	case "each":
		if d.each != nil {
			return d.each.size
		}
	default:
		return names[root]
	}
	return 0
}

// sizeOfValue is the bytes of a value's strings and nodeCost for each value in it.
func sizeOfValue(v cty.Value) int {
	if !v.IsKnown() || v.IsNull() {
		return nodeCost
	}
	if v.Type() == cty.String {
		return nodeCost + len(v.AsString())
	}
	if !v.CanIterateElements() {
		return nodeCost
	}
	size := nodeCost
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		size += sizeOfValue(e)
	}
	return size
}

// times is a * b, at most hopelessWork.
func times(a, b int) int {
	if a > 0 && b > hopelessWork/a {
		return hopelessWork
	}
	return a * b
}
