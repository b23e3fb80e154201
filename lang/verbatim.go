package lang

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/netpol/netpol/lang/diag"
)

// verbatim reports whether a person wrote a text as a whole: it stands in a file
// without any ${...}, or is a value given from outside. Criteria that come from
// a local must be such a text, because one that functions or templates put
// together could have a value pasted into it.
func (d *decoder) verbatim(text string) bool {
	if d.written == nil {
		d.written = map[string]bool{}
		for _, v := range d.given {
			d.addTexts(v)
		}
	}
	for ; d.searched < len(d.bodies); d.searched++ {
		// Our function returns no diagnostics.
		_ = hclsyntax.VisitAll(d.bodies[d.searched], func(n hclsyntax.Node) hcl.Diagnostics {
			if t, ok := n.(*hclsyntax.TemplateExpr); ok {
				if s, ok := literalText(t); ok {
					d.written[s] = true
				}
			}
			return nil
		})
	}
	return d.written[text]
}

// addTexts notes the strings of a value that was given from outside.
func (d *decoder) addTexts(v cty.Value) {
	switch {
	case !v.IsKnown() || v.IsNull():
	case v.Type() == cty.String:
		d.written[v.AsString()] = true
	case v.CanIterateElements():
		for it := v.ElementIterator(); it.Next(); {
			_, e := it.Element()
			d.addTexts(e)
		}
	}
}

// literalText is the text of a template that has no ${...} in it.
func literalText(t *hclsyntax.TemplateExpr) (string, bool) {
	var b strings.Builder
	for _, part := range t.Parts {
		lit, ok := part.(*hclsyntax.LiteralValueExpr)
		if !ok || lit.Val.Type() != cty.String {
			return "", false
		}
		b.WriteString(lit.Val.AsString())
	}
	return b.String(), true
}

// checkVerbatim reports criteria that were put together.
func (d *decoder) checkVerbatim(c Criteria) bool {
	if d.verbatim(c.Text) {
		return true
	}
	d.diags.Add(diag.New(diag.InterpolatedCriteria, c.Range, "This text was put together by templates or functions, and what is pasted into an expression can change its meaning. "+
		"Write the criteria as text in this argument, and the values in it as ${...}, which makes constants of them.").
		WithHint(`write "app == ${local.name}", or "app in ${local.list}" for any of several`))
	return false
}
