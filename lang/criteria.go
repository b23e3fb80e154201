package lang

import (
	"fmt"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/netpol/netpol/lang/diag"
)

// Criteria is the text of one expression and the way back to the file it
// stands in.
type Criteria struct {
	Text   string
	Module string     // of the file that uses it, "iot/cameras"; empty for the set itself
	Range  diag.Range // of the whole HCL expression, that of a local where one is named
	// spots has one entry for each stretch of Text that is contiguous in the
	// file, sorted by offset. Empty when the text is not written there, but
	// comes from a variable or is computed.
	spots   []spot
	inserts []Insert // see criteria_template.go
}

// spot says that Text[offset:] begins at pos in the file.
type spot struct {
	offset int
	pos    diag.Pos
}

// RangeOf is the place in the file of Text[from:to]. Where the text comes from
// a variable, or is computed, it is the whole HCL expression.
func (c *Criteria) RangeOf(from, to int) diag.Range {
	from = max(0, min(from, len(c.Text)))
	to = max(from, min(to, len(c.Text)))
	first, last := c.insertAt(from), c.insertAt(max(from, to-1))
	if first != nil && first == last {
		return first.Range
	}
	if len(c.spots) == 0 {
		return c.Range
	}
	r := diag.Range{Filename: c.Range.Filename, Start: c.pos(from), End: c.pos(to)}
	// The end of one character is where it ends, not where the next begins:
	// the two differ around heredoc indents.
	if to > from {
		if last := c.pos(to - 1); last.Line != r.End.Line {
			r.End = diag.Pos{Line: last.Line, Column: last.Column + 1, Byte: last.Byte + 1}
		}
	}
	if first != nil {
		r.Start = first.Range.Start
	}
	if last != nil {
		r.End = last.Range.End
	}
	return r
}

// pos is the place of Text[offset].
func (c *Criteria) pos(offset int) diag.Pos {
	i := sort.Search(len(c.spots), func(i int) bool { return c.spots[i].offset > offset }) - 1
	if i < 0 {
		return c.Range.Start
	}
	p := c.spots[i].pos
	between := c.Text[c.spots[i].offset:min(offset, len(c.Text))]
	p.Byte += len(between)
	p.Column += strings.Count(between, "") - 1
	return p
}

// criteria reads a criterion, or a list of them.
func (d *decoder) criteria(a *hclsyntax.Attribute) []Criteria {
	if a == nil || d.work < 0 {
		return nil
	}
	expr := d.follow(a.Expr)
	switch unwrap(expr).(type) {
	case *hclsyntax.TupleConsExpr:
	case *hclsyntax.TemplateExpr, *hclsyntax.TemplateWrapExpr:
		return d.appendCriterion(nil, expr)
	default:
		v := d.value(expr)
		if !v.IsWhollyKnown() || v.IsNull() {
			d.rejectNull(v, a.Expr)
			return nil
		}
		if v.Type().IsPrimitiveType() {
			return d.appendCriterion(nil, a.Expr)
		}
	}
	elements, ok := d.elements(expr, `"app == 'zoom'"`)
	if ok && len(elements) == 0 {
		d.diags.Add(diag.New(diag.EmptyCriteria, toRange(a.Expr.Range()), "An empty list matches nothing. Write at least one expression, such as \"app == 'zoom'\"."))
	}
	var out []Criteria
	for _, e := range elements {
		if d.work < 0 || d.full(toRange(e.expr.Range())) {
			break
		}
		out = d.appendCriterion(out, e.expr)
	}
	return out
}

// follow is the expression that a reference to a local stands for, so that a
// mistake in it is shown where it was written, or expr itself. Of values that
// are computed, only the reference can be shown.
func (d *decoder) follow(expr hclsyntax.Expression) hclsyntax.Expression {
	for range MaxDepth {
		ref, ok := unwrap(expr).(*hclsyntax.ScopeTraversalExpr)
		if !ok || len(ref.Traversal) != 2 || ref.Traversal.RootName() != "local" {
			return expr
		}
		name, _ := traversalName(ref.Traversal)
		l := d.locals[name]
		if l == nil || !l.known {
			return expr
		}
		switch e := unwrap(l.attr.Expr).(type) {
		case *hclsyntax.TemplateExpr:
			if !e.IsStringLiteral() {
				return expr
			}
		case *hclsyntax.TupleConsExpr, *hclsyntax.ScopeTraversalExpr:
		default:
			return expr
		}
		expr = l.attr.Expr
	}
	return expr
}

// appendCriterion reads one string of criteria.
func (d *decoder) appendCriterion(out []Criteria, expr hclsyntax.Expression) []Criteria {
	c, ok := d.criterion(expr)
	if !ok {
		return out
	}
	if len(c.Text) > MaxCriteriaBytes {
		d.diags.Add(diag.New(diag.TooLarge, c.Range, fmt.Sprintf("Criteria may be %d KiB long. Use an address_group for long lists of addresses.", MaxCriteriaBytes>>10)))
		return out
	}
	if strings.TrimSpace(c.Text) == "" {
		d.diags.Add(diag.New(diag.EmptyCriteria, c.Range, "Write an expression, such as \"app == 'zoom'\", or \"true\" to match every flow."))
		return out
	}
	if !d.spend(criterionCost+textCost*len(c.Text), c.Range) {
		return out
	}
	c.Module = d.module
	return append(out, c)
}

// criterion reads the text of one expression.
func (d *decoder) criterion(expr hclsyntax.Expression) (Criteria, bool) {
	if d.rejectTemplate(expr) {
		return Criteria{}, false
	}
	expr = d.follow(expr)
	t, isTemplate := unwrap(expr).(*hclsyntax.TemplateExpr)
	if isTemplate {
		if _, ok := literalText(t); !ok {
			return d.criteriaTemplate(t)
		}
	}
	v := d.value(expr)
	d.rejectNull(v, expr)
	if !v.IsWhollyKnown() || v.IsNull() {
		return Criteria{}, false
	}
	if v.Type() != cty.String {
		d.criteriaType(v, toRange(expr.Range()))
		return Criteria{}, false
	}
	c := Criteria{Text: v.AsString(), Range: toRange(expr.Range())}
	if isTemplate {
		c.spots = templateSpots(t, d.out.sources[c.Range.Filename], c.Text, nil)
		return c, true
	}
	return c, strings.TrimSpace(c.Text) == "" || d.checkVerbatim(c)
}

// criteriaType reports criteria that are no text: they would never be an
// expression.
func (d *decoder) criteriaType(v cty.Value, at diag.Range) {
	hint := ""
	if v.Type() == cty.Bool {
		hint = fmt.Sprintf(`write "%t"`, v.True())
	}
	d.diags.Add(diag.New(diag.WrongValueType, at, fmt.Sprintf("Criteria are a string with an expression in it, such as \"app == 'zoom'\", not a %s.", friendly(v.Type()))).WithHint(hint))
}

// rejectTemplate reports %{...} in criteria, and a ${...} that is all there is:
// it would be a constant, which no flow can change.
func (d *decoder) rejectTemplate(expr hclsyntax.Expression) bool {
	switch e := unwrap(expr).(type) {
	case *hclsyntax.TemplateWrapExpr:
		d.diags.Add(diag.New(diag.InterpolatedCriteria, toRange(e.SrcRange), "A value in criteria becomes a constant, and a constant alone is no condition. A whole expression is written as a reference.").
			WithHint("write the reference without quotes and ${}"))
		return true
	case *hclsyntax.TemplateExpr:
		for _, part := range e.Parts {
			if d.isDirective(part) {
				d.diags.Add(diag.New(diag.InterpolatedCriteria, toRange(part.Range()), "Criteria hold no %{...}. Use and, or and cond ? a : b of the expression, or a list of criteria, of which any may match."))
				return true
			}
		}
	}
	return false
}
