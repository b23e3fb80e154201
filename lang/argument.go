package lang

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/suggest"
)

// argument evaluates an expression to a type; ok is false when it is null,
// which stands for an argument that is not set, unknown because of an earlier
// mistake, or of another type.
func (d *decoder) argument(expr hclsyntax.Expression, typ cty.Type, example string) (cty.Value, bool) {
	v := d.value(expr)
	if !v.IsWhollyKnown() || v.IsNull() {
		return v, false
	}
	out, err := convertTo(v, typ)
	if err != nil || out.IsNull() || !out.IsWhollyKnown() {
		d.diags.Add(diag.New(diag.WrongValueType, toRange(expr.Range()),
			fmt.Sprintf("A %s is needed here, not a %s; for example %s.", friendly(typ), friendly(v.Type()), example)))
		return v, false
	}
	return out, true
}

// convertTo is convert.Convert, which takes 14 us to write a number of 512 bits
// as text (measured 2026-11); marks and code points are smaller.
func convertTo(v cty.Value, typ cty.Type) (cty.Value, error) {
	if typ == cty.String && v.Type() == cty.Number {
		if n, accuracy := v.AsBigFloat().Int64(); accuracy == big.Exact {
			return cty.StringVal(strconv.FormatInt(n, 10)), nil
		}
	}
	return convert.Convert(v, typ)
}

// rejectNull reports a null where it cannot mean "not set".
func (d *decoder) rejectNull(v cty.Value, expr hclsyntax.Expression) {
	if v.IsKnown() && v.IsNull() {
		d.diags.Add(diag.New(diag.WrongValueType, toRange(expr.Range()), "This is null, so nothing would be compared or set. Leave the element or the argument out."))
	}
}

func friendly(t cty.Type) string {
	switch {
	case t == cty.Bool:
		return "bool (true or false)"
	case t.IsPrimitiveType():
		return t.FriendlyName()
	}
	return "list or object"
}

// friendlyType is a type as a variable block writes it.
func friendlyType(t cty.Type) string { return typeexpr.TypeString(t) }

// text reads an optional string argument.
func (d *decoder) text(b *hclsyntax.Block, name, example string) Text {
	a, ok := b.Body.Attributes[name]
	if !ok {
		return Text{}
	}
	v, ok := d.argument(a.Expr, cty.String, example)
	if !ok {
		return Text{}
	}
	return Text{Value: v.AsString(), Range: toRange(a.Expr.Range())}
}

// badArgument reports an argument by a code of its block's, at the argument or
// else at the block's header. The diagnostic is there to be added to.
func (d *decoder) badArgument(code string, b *hclsyntax.Block, name, detail string) *diag.Diagnostic {
	at := headerRange(b)
	if a, ok := b.Body.Attributes[name]; ok {
		at = toRange(a.Expr.Range())
	}
	d.diags.Add(diag.New(code, at, detail))
	return &d.diags[len(d.diags)-1]
}

// word reads an optional argument that is one of some words; otherwise is what
// it is where it is not written, or is none of them, which is reported.
func (d *decoder) word(code string, b *hclsyntax.Block, name string, words []string, otherwise string) string {
	t := d.text(b, name, strconv.Quote(words[0]))
	if t.Range.IsZero() {
		return otherwise
	}
	if slices.Contains(words, t.Value) {
		return t.Value
	}
	bad := d.badArgument(code, b, name, fmt.Sprintf("%s is %s, not %q.", name, orList(words), t.Value))
	bad.Hint = suggest.Hint(strings.ToLower(t.Value), words)
	return otherwise
}

// orList is words as a person lists them: "a", "b" or "c".
func orList(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(w)
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return strings.Join(quoted[:len(quoted)-1], ", ") + " or " + quoted[len(quoted)-1]
}

// flag reads an optional bool argument.
func (d *decoder) flag(b *hclsyntax.Block, name string, def bool) bool {
	a, ok := b.Body.Attributes[name]
	if !ok {
		return def
	}
	v, ok := d.argument(a.Expr, cty.Bool, "true")
	if !ok {
		return def
	}
	return v.True()
}

// number reads an optional whole number between low and high.
func (d *decoder) number(b *hclsyntax.Block, name string, low, high, def int) int {
	a, ok := b.Body.Attributes[name]
	if !ok {
		return def
	}
	v, ok := d.argument(a.Expr, cty.Number, strconv.Itoa(def))
	if !ok {
		return def
	}
	n, accuracy := v.AsBigFloat().Int64()
	if accuracy != big.Exact || n < int64(low) || n > int64(high) {
		d.diags.Add(diag.New(diag.NumberOutOfRange, toRange(a.Expr.Range()), fmt.Sprintf("%s is a whole number from %d to %d.", name, low, high)))
		return def
	}
	return int(n)
}

// textOrList reads an optional argument that is one string or a list of them.
func (d *decoder) textOrList(b *hclsyntax.Block, name, example string) []Text {
	a, ok := b.Body.Attributes[name]
	if !ok {
		return nil
	}
	if _, isList := unwrap(a.Expr).(*hclsyntax.TupleConsExpr); !isList {
		if v := d.value(a.Expr); !v.IsWhollyKnown() || v.IsNull() || v.Type().IsPrimitiveType() {
			if t := d.text(b, name, example); !t.Range.IsZero() {
				return []Text{t}
			}
			return nil
		}
	}
	return d.texts(b, name, example)
}

// someOf is textOrList that reports a list without elements, which would mean
// never: it comes of a variable more often than of an intention.
func (d *decoder) someOf(b *hclsyntax.Block, name, example string) []Text {
	before := len(d.diags)
	list := d.textOrList(b, name, example)
	a, ok := b.Body.Attributes[name]
	if ok && len(list) == 0 && len(d.diags) == before && d.isEmptyList(a.Expr) {
		d.diags.Add(diag.New(diag.EmptyList, toRange(a.Expr.Range()), fmt.Sprintf("Without an element in %s the %s would never apply. Leave the argument out, or write null, for no bound; or write for example [%s].", name, b.Type, example)))
	}
	return list
}

// isEmptyList reports whether an expression is known to be a list of nothing.
func (d *decoder) isEmptyList(expr hclsyntax.Expression) bool {
	if tuple, ok := unwrap(expr).(*hclsyntax.TupleConsExpr); ok {
		return len(tuple.Exprs) == 0
	}
	v := d.value(expr)
	return v.IsWhollyKnown() && !v.IsNull() && v.CanIterateElements() && v.LengthInt() == 0
}

// texts reads an optional list of strings. Elements of a list that is written
// out have their own ranges; those of any other value have the whole's.
func (d *decoder) texts(b *hclsyntax.Block, name, example string) []Text {
	a, ok := b.Body.Attributes[name]
	if !ok {
		return nil
	}
	var out []Text
	list, _ := d.elements(a.Expr, example)
	for _, e := range list {
		v, ok := d.argument(e.expr, cty.String, example)
		d.rejectNull(v, e.expr)
		if ok {
			out = append(out, Text{Value: v.AsString(), Range: toRange(e.expr.Range())})
		}
	}
	return out
}

// element is one element of a list-valued argument.
type element struct{ expr hclsyntax.Expression }

// elements splits a list into expressions. A list that is not written out is
// evaluated and its elements become literals with the range of the whole. It
// returns false after reporting that there is no list.
func (d *decoder) elements(expr hclsyntax.Expression, example string) ([]element, bool) {
	var out []element
	if tuple, ok := unwrap(expr).(*hclsyntax.TupleConsExpr); ok {
		for _, e := range tuple.Exprs {
			out = append(out, element{e})
		}
		return out, true
	}
	v := d.value(expr)
	if !v.IsWhollyKnown() || v.IsNull() {
		return nil, false
	}
	if t := v.Type(); !t.IsListType() && !t.IsTupleType() && !t.IsSetType() {
		d.diags.Add(diag.New(diag.WrongValueType, toRange(expr.Range()), fmt.Sprintf("A list is needed here; for example [%s].", example)))
		return nil, false
	}
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		out = append(out, element{&hclsyntax.LiteralValueExpr{Val: e, SrcRange: expr.Range()}})
	}
	return out, true
}

// unwrap takes the parentheses off an expression.
func unwrap(expr hclsyntax.Expression) hclsyntax.Expression {
	for {
		p, ok := expr.(*hclsyntax.ParenthesesExpr)
		if !ok {
			return expr
		}
		expr = p.Expression
	}
}
