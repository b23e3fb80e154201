package lang

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/netpol/netpol/lang/diag"
)

// A value in criteria, as in "app == ${each.value}", becomes a constant of the
// expression: text with quotes around it and its own quotes escaped, a number,
// true, false, or a list of these. It is never pasted as text, so that no value
// can change what the expression means. compiler/resolve checks once more that
// the constant came out as whole tokens.

// textCost is what a byte of criteria takes from the budget, for the way from
// text to condition; see cost.go.
const textCost = 4

// criterionCost is what one criterion takes besides: a local's list may be used
// by many policies, and each is resolved anew.
const criterionCost = 400

// Insert is a stretch of criteria that a value was put into.
type Insert struct {
	From, To int // in bytes of the text
	Range    diag.Range
}

// Inserts lists the values that were put into the text, in order.
func (c *Criteria) Inserts() []Insert { return c.inserts }

// insertAt is the insert that holds Text[offset], or nil.
func (c *Criteria) insertAt(offset int) *Insert {
	for i := range c.inserts {
		if in := &c.inserts[i]; in.From <= offset && offset < in.To {
			return in
		}
	}
	return nil
}

// criteriaTemplate builds the text of criteria that hold ${...}.
func (d *decoder) criteriaTemplate(t *hclsyntax.TemplateExpr) (Criteria, bool) {
	c := Criteria{Range: toRange(t.SrcRange)}
	var text strings.Builder
	ok := true
	for i, part := range t.Parts {
		if lit, isText := part.(*hclsyntax.LiteralValueExpr); isText && lit.Val.Type() == cty.String {
			text.WriteString(lit.Val.AsString())
			continue
		}
		if q := quoteAround(text.String(), t.Parts, i); q != "" {
			d.diags.Add(diag.New(diag.InterpolatedCriteria, toRange(part.Range()), "A value in criteria becomes a constant with its own quotes, so it stands outside of others. Text around it belongs inside: ${\"cdn.${var.domain}\"}.").
				WithHint("leave out the " + q + " on both sides of ${...}"))
			ok = false
			continue
		}
		constant, good := d.insertedConstant(part)
		ok = ok && good
		from := text.Len()
		text.WriteString(constant)
		c.inserts = append(c.inserts, Insert{From: from, To: text.Len(), Range: toRange(part.Range())})
		if text.Len() > MaxCriteriaBytes {
			break
		}
	}
	c.Text = text.String()
	c.spots = templateSpots(t, d.out.sources[c.Range.Filename], c.Text, c.inserts)
	return c, ok
}

// quoteAround is the quote that stands on both sides of a ${...}, or empty.
func quoteAround(before string, parts []hclsyntax.Expression, i int) string {
	if before == "" || i+1 >= len(parts) || !strings.ContainsRune("'\"`", rune(before[len(before)-1])) {
		return ""
	}
	quote := before[len(before)-1:]
	if next, ok := parts[i+1].(*hclsyntax.LiteralValueExpr); ok && next.Val.Type() == cty.String && strings.HasPrefix(next.Val.AsString(), quote) {
		return quote
	}
	return ""
}

// isDirective reports %{if} and %{for}, which HCL reads into the same
// expressions as ${a ? b : c}.
func (d *decoder) isDirective(part hclsyntax.Expression) bool {
	if _, ok := part.(*hclsyntax.TemplateJoinExpr); ok {
		return true
	}
	src, at := d.out.sources[part.Range().Filename], part.Range().Start.Byte
	return at < len(src) && strings.HasPrefix(string(src[at:min(at+2, len(src))]), "%{")
}

// insertedConstant evaluates one ${...} and writes its value as a constant.
func (d *decoder) insertedConstant(part hclsyntax.Expression) (string, bool) {
	v := d.value(part)
	if !v.IsWhollyKnown() {
		return "", false
	}
	var b strings.Builder
	if why := writeConstant(&b, v, true); why != "" {
		d.diags.Add(diag.New(diag.InterpolatedCriteria, toRange(part.Range()), fmt.Sprintf("A value in criteria is a string, a number, a bool or a list of these; this is %s.", why)))
		return "", false
	}
	return b.String(), true
}

// writeConstant writes a value as a constant of criteria, or says what it is
// that cannot be one.
func writeConstant(b *strings.Builder, v cty.Value, list bool) string {
	t := v.Type()
	switch {
	case v.IsNull():
		return "null"
	case t == cty.String:
		quoteConstant(b, v.AsString())
		return ""
	case t == cty.Bool:
		fmt.Fprintf(b, "%t", v.True())
		return ""
	case t == cty.Number:
		return writeNumber(b, v.AsBigFloat())
	case t.IsObjectType() || t.IsMapType():
		return "an object"
	case !list:
		return "a list inside a list"
	}
	b.WriteByte('[')
	for it, first := v.ElementIterator(), true; it.Next(); first = false {
		if !first {
			b.WriteString(", ")
		}
		_, e := it.Element()
		if why := writeConstant(b, e, false); why != "" {
			return why
		}
	}
	b.WriteByte(']')
	return ""
}

// writeNumber writes a number that criteria can hold.
func writeNumber(b *strings.Builder, f *big.Float) string {
	if n, accuracy := f.Int64(); accuracy == big.Exact {
		fmt.Fprintf(b, "%d", n)
		return ""
	}
	if f.IsInt() || f.MantExp(nil) > 64 || f.MantExp(nil) < -64 {
		return "a number too large"
	}
	short, _ := f.Float64()
	b.WriteString(strconv.FormatFloat(short, 'f', -1, 64))
	return ""
}

// quoteConstant writes text between single quotes, so that the lexer of
// expressions reads back the same text whatever is in it.
func quoteConstant(b *strings.Builder, s string) {
	b.WriteByte('\'')
	for _, r := range s {
		switch {
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r < ' ' || r == 0x7f || r == utf8.RuneError:
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('\'')
}
