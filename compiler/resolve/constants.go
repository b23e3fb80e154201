package resolve

import (
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/netpol/netpol/lang/diag"
)

// constantKind is the kind of a written constant.
type constantKind uint8

const (
	stringConstant constantKind = iota
	numberConstant
	rangeConstant // low..high
	floatConstant
	flagConstant
	textRangeConstant // 'low'..'high', of times and quantities
)

// String is the word for people.
func (c constantKind) String() string {
	switch c {
	case stringConstant:
		return "string"
	case numberConstant:
		return "number"
	case rangeConstant:
		return "range of numbers"
	case floatConstant:
		return "number with a fraction"
	case flagConstant:
		return "bool"
	case textRangeConstant:
		return "range of strings"
	}
	return "unknown"
}

// constant is one written constant.
type constant struct {
	kind      constantKind
	text      string // of strings, of floats in their shortest form, of the low end of a range
	textHigh  string // of the high end of a range of strings
	low, high int    // of numbers (equal) and ranges
	span      span
}

// isConstant reports whether a node is made of constants only.
func isConstant(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NilNode:
		return true
	case *ast.UnaryNode:
		_, ok := number(n)
		return ok
	case *ast.BinaryNode:
		if n.Operator == ".." {
			return isConstant(n.Left) && isConstant(n.Right)
		}
		_, ok := number(n)
		return ok
	case *ast.ArrayNode:
		for _, e := range n.Nodes {
			if !isConstant(e) {
				return false
			}
		}
		return true
	}
	return false
}

// constants lists the constants of a node that is a constant or a list of them.
func (k *criterion) constants(n ast.Node) ([]constant, bool) {
	array, ok := n.(*ast.ArrayNode)
	if !ok {
		c, ok := k.constantOf(n)
		return []constant{c}, ok
	}
	list, all := make([]constant, 0, len(array.Nodes)), true
	for _, e := range array.Nodes {
		c, ok := k.constantOf(e)
		if ok && len(list) > 0 && k.mixed(list[0].kind, c.kind) {
			k.fault(diag.MixedList, c.span, "This is a %s in a list that begins with a %s. All constants of a list are compared with the same attribute, so they have the same type.", c.kind, list[0].kind)
			ok = false
		}
		if all = all && ok; ok {
			list = append(list, c)
		}
	}
	return list, all
}

// mixed reports kinds that cannot share a list; numbers and ranges can, and
// where text stands for a number both.
func (k *criterion) mixed(a, b constantKind) bool {
	family := func(c constantKind) constantKind {
		switch {
		case c == rangeConstant, k.isQuantity && (c == stringConstant || c == textRangeConstant):
			return numberConstant
		}
		return c
	}
	return family(a) != family(b)
}

// constantOf reads one constant.
func (k *criterion) constantOf(n ast.Node) (constant, bool) {
	c := constant{span: k.spanOf(n)}
	switch n := n.(type) {
	case *ast.StringNode:
		c.kind, c.text = stringConstant, n.Value
		return c, k.checkString(c)
	case *ast.IntegerNode:
		c.kind, c.low, c.high = numberConstant, n.Value, n.Value
		c.text = strconv.Itoa(n.Value)
		return c, true
	case *ast.FloatNode:
		c.kind, c.text = floatConstant, strconv.FormatFloat(n.Value, 'f', -1, 64)
		if !strings.Contains(c.text, ".") {
			c.text += ".0"
		}
		return c, true
	case *ast.BoolNode:
		c.kind = flagConstant
		return c, true
	case *ast.NilNode:
		k.fault(diag.WrongConstant, c.span, "Nothing is ever nil: an attribute that is not known is '', 0 or false.").Hint = "write '' for text"
		return c, false
	case *ast.BinaryNode:
		if n.Operator == ".." {
			return k.rangeOf(n)
		}
	}
	if v, ok := number(n); ok {
		c.kind, c.low, c.high, c.text = numberConstant, v, v, strconv.Itoa(v)
		return c, true
	}
	k.fault(diag.WrongConstant, c.span, "A constant is needed here: a string such as 'zoom', a number, or a range such as 8801..8810.")
	return c, false
}

// quotable reports a constant that can be an end of a range of quantities.
func (c constant) quotable() bool { return c.kind == stringConstant || c.kind == numberConstant }

// rangeOf reads low..high.
func (k *criterion) rangeOf(n *ast.BinaryNode) (constant, bool) {
	low, ok := k.constantOf(n.Left)
	if !ok {
		return low, false
	}
	high, ok := k.constantOf(n.Right)
	if !ok {
		return high, false
	}
	c := constant{kind: rangeConstant, low: low.low, high: high.low, span: span{low.span.from, high.span.to}}
	if k.isQuantity && low.quotable() && high.quotable() && (low.kind == stringConstant || high.kind == stringConstant) {
		c.kind, c.text, c.textHigh = textRangeConstant, low.text, high.text
		return c, true
	}
	if low.kind != numberConstant || high.kind != numberConstant {
		k.fault(diag.WrongConstant, c.span, "A range is between two whole numbers, such as 8801..8810.")
		return c, false
	}
	if c.low > c.high {
		k.fault(diag.EmptyRange, c.span, "The range %d..%d holds no number: the smaller one comes first.", c.low, c.high)
		return c, false
	}
	return c, true
}

// checkString reports Netify's regular expressions, which would otherwise be
// compared letter by letter and never match.
func (k *criterion) checkString(c constant) bool {
	if !strings.HasPrefix(c.text, "rx:") {
		return true
	}
	k.fault(diag.NetifyRegex, c.span, "A string that begins with rx: would be compared letter by letter. Regular expressions have an operator of their own.").
		Hint = "write " + k.subject + " matches '" + strings.ReplaceAll(strings.TrimPrefix(c.text, "rx:"), `\`, `\\`) + "'"
	return false
}
