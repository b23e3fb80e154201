package resolve

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// operandType is the type of one side of a residual comparison.
type operandType uint8

const (
	textOperand operandType = iota
	numberOperand
	fractionOperand // a number that a division made
)

// operand is one side of a residual comparison, as expr source.
type operand struct {
	typ    operandType
	source string
}

// residualBytes of bytecode's source cost as much as one constant to compile.
const residualBytes = 4

// residual resolves a comparison that is not between an attribute and
// constants. It calls len, lower and abs only: a program rebuilt from its parts
// keeps no other functions (expr's vm.Program does not export them).
func (k *criterion) residual(n *ast.BinaryNode) (ir.Expr, bool) {
	var reads []fact.Attribute
	left, ok := k.operand(n.Left, &reads)
	if !ok {
		return nil, false
	}
	source, ok := k.residualRight(n, left, &reads)
	if !ok {
		return nil, false
	}
	if !k.spend(len(source)/residualBytes, k.spanOf(n)) {
		return nil, false
	}
	slices.SortFunc(reads, func(a, b fact.Attribute) int { return strings.Compare(a.Name, b.Name) })
	reads = slices.CompactFunc(reads, func(a, b fact.Attribute) bool { return a.Name == b.Name })
	return &ir.Residual{Source: source, Reads: reads, Range: k.at(k.spanOf(n))}, true
}

// residualRight resolves the right side and joins the two.
func (k *criterion) residualRight(n *ast.BinaryNode, left operand, reads *[]fact.Attribute) (string, bool) {
	if n.Operator == "in" {
		return k.residualIn(n, left)
	}
	right, ok := k.operand(n.Right, reads)
	if !ok {
		return "", false
	}
	if (left.typ == textOperand) != (right.typ == textOperand) {
		k.fault(diag.WrongConstant, k.spanOf(n), "One side is a number and the other is text.")
		return "", false
	}
	equality := n.Operator == "==" || n.Operator == "!="
	order := strings.HasPrefix(n.Operator, "<") || strings.HasPrefix(n.Operator, ">")
	if n.Operator == "matches" {
		k.fault(diag.WrongOperator, k.spanOf(n), "matches stands between an attribute and a constant, so that the pattern can be checked before any traffic is.")
		return "", false
	}
	if !equality && order != (left.typ != textOperand) {
		k.fault(diag.WrongOperator, k.spanOf(n), "%s does not work on this type.", n.Operator)
		return "", false
	}
	return left.source + " " + n.Operator + " " + right.source, true
}

// residualIn writes x in [1, 5..9] as comparisons, which allocate nothing.
func (k *criterion) residualIn(n *ast.BinaryNode, left operand) (string, bool) {
	if !isConstant(n.Right) {
		d := k.fault(diag.WrongOperator, k.spanOf(n.Right), "A list of constants or a range stands after in.")
		if id, ok := n.Right.(*ast.IdentifierNode); ok {
			d.Hint = fmt.Sprintf("text stands in single quotes: in ['%s']", id.Value)
		}
		return "", false
	}
	constants, ok := k.constants(n.Right)
	if !ok {
		return "", false
	}
	if !k.short(n, 2*len(left.source)*len(constants)) {
		return "", false
	}
	var parts []string
	for _, c := range constants {
		switch {
		case c.kind == stringConstant && left.typ == textOperand:
			parts = append(parts, left.source+" == "+strconv.Quote(strings.ToLower(c.text)))
		case (c.kind == numberConstant || c.kind == rangeConstant) && left.typ != textOperand:
			parts = append(parts, fmt.Sprintf("(%s >= %d and %s <= %d)", left.source, c.low, left.source, c.high))
		default:
			k.fault(diag.WrongConstant, c.span, "A %s cannot be compared with the left side.", c.kind)
			return "", false
		}
	}
	if len(parts) == 0 {
		parts = []string{"false"}
	}
	return "(" + strings.Join(parts, " or ") + ")", true
}

// operand resolves an expression that is a number or text. The source it gives
// stands in parentheses where it has operators.
func (k *criterion) operand(n ast.Node, reads *[]fact.Attribute) (operand, bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return k.attributeOperand(n, reads)
	case *ast.IntegerNode:
		if n.Value > math.MaxInt32 { // a 32-bit router could not hold it
			k.fault(diag.NumberOutOfRange, k.spanOf(n), "Numbers to calculate with go up to %d.", math.MaxInt32)
			return operand{}, false
		}
		return operand{numberOperand, strconv.Itoa(n.Value)}, true
	case *ast.StringNode:
		c := constant{text: n.Value, span: k.spanOf(n)}
		return operand{textOperand, strconv.Quote(strings.ToLower(n.Value))}, k.checkString(c)
	case *ast.UnaryNode:
		if n.Operator == "-" || n.Operator == "+" {
			x, ok := k.operand(n.Node, reads)
			return operand{x.typ, "(" + n.Operator + x.source + ")"}, ok && k.wantNumber(n.Node, x)
		}
	case *ast.BinaryNode:
		return k.arithmetic(n, reads)
	case *ast.BuiltinNode:
		return k.function(n, reads)
	case *ast.CallNode:
		if id, ok := n.Callee.(*ast.IdentifierNode); ok && id.Value != "domain" {
			_, ok := k.unknownFunction(id.Value, k.spanOf(n))
			return operand{}, ok
		}
	}
	k.fault(diag.UnsupportedExpression, k.spanOf(n), "This cannot be compared. Compare attributes, constants, sums of numbers, or len(...) of a text.")
	return operand{}, false
}

func (k *criterion) attributeOperand(n *ast.IdentifierNode, reads *[]fact.Attribute) (operand, bool) {
	a, ok := k.attribute(n)
	if !ok {
		return operand{}, false
	}
	if isGeo(a) {
		k.fault(diag.NotToCalculate, k.spanOf(n), "%s stands for the networks that it names, and is compared with constants only.", n.Value)
		return operand{}, false
	}
	if a.Decided == fact.Packet {
		k.fault(diag.NotToCalculate, k.spanOf(n), "%s is known to the kernel alone, which asks it of each packet and compares it with constants.", n.Value).
			Hint = k.constantsHint(n.Value, a)
		return operand{}, false
	}
	*reads = append(*reads, a)
	switch {
	case isNumeric(a.Type):
		return operand{numberOperand, a.Name}, true
	case a.Type == fact.Text || a.Type == fact.TextList:
		// Free text keeps its case in the facts; names and host names are lower
		// case there already. So are the constants here.
		return operand{textOperand, "lower(" + a.Name + ")"}, true
	case isText(a.Type):
		return operand{textOperand, a.Name}, true
	}
	k.fault(diag.WrongOperator, k.spanOf(n), "%s is %s, which can be compared with constants only.", n.Value, withArticle(a.Type))
	return operand{}, false
}

// wantNumber reports text where a number is needed.
func (k *criterion) wantNumber(n ast.Node, x operand) bool {
	if x.typ == textOperand {
		k.fault(diag.WrongConstant, k.spanOf(n), "A number is needed here, not text.")
	}
	return x.typ != textOperand
}

// arithmetic resolves + - * / %. A divisor is a constant other than 0, because
// a program that divides by zero has no answer.
func (k *criterion) arithmetic(n *ast.BinaryNode, reads *[]fact.Attribute) (operand, bool) {
	if len(n.Operator) != 1 || !strings.Contains("+-*/%", n.Operator) {
		k.fault(diag.UnsupportedExpression, k.spanOf(n), "A number or text is needed here.")
		return operand{}, false
	}
	left, ok := k.operand(n.Left, reads)
	if !ok {
		return operand{}, false
	}
	right, ok := k.operand(n.Right, reads)
	if !ok {
		return operand{}, false
	}
	if !k.short(n, len(left.source)+len(right.source)) {
		return operand{}, false
	}
	if left.typ == textOperand && right.typ == textOperand && n.Operator == "+" {
		return operand{textOperand, "(" + left.source + " + " + right.source + ")"}, true
	}
	if !k.wantNumber(n.Left, left) || !k.wantNumber(n.Right, right) {
		return operand{}, false
	}
	if i, isInt := n.Right.(*ast.IntegerNode); strings.Contains("/%", n.Operator) && (!isInt || i.Value == 0) {
		k.fault(diag.UnsupportedExpression, k.spanOf(n.Right), "The divisor is a constant other than 0.")
		return operand{}, false
	}
	typ := max(left.typ, right.typ) // a fraction stays one
	switch {
	case n.Operator == "%" && typ == fractionOperand:
		k.fault(diag.WrongConstant, k.spanOf(n), "%% works on whole numbers, and a division makes a fraction.")
		return operand{}, false
	case n.Operator == "/":
		typ = fractionOperand
	}
	return operand{typ, "(" + left.source + " " + n.Operator + " " + right.source + ")"}, true
}

// short reports a condition whose source grows beyond maxResidual.
func (k *criterion) short(n ast.Node, size int) bool {
	if size > maxResidual {
		k.fault(diag.TooComplex, k.spanOf(n), "This is too long for a condition with arithmetic or several attributes, which may be %d bytes long when written out. Split it.", maxResidual)
	}
	return size <= maxResidual
}

// function resolves len, lower and abs.
func (k *criterion) function(n *ast.BuiltinNode, reads *[]fact.Attribute) (operand, bool) {
	if n.Name != "len" && n.Name != "lower" && n.Name != "abs" {
		_, ok := k.unknownFunction(n.Name, k.spanOf(n))
		return operand{}, ok
	}
	if len(n.Arguments) != 1 {
		k.fault(diag.WrongConstant, k.spanOf(n), "%s takes one argument.", n.Name)
		return operand{}, false
	}
	x, ok := k.operand(n.Arguments[0], reads)
	if !ok {
		return operand{}, false
	}
	switch {
	case n.Name == "abs":
		return operand{x.typ, "abs(" + x.source + ")"}, k.wantNumber(n.Arguments[0], x)
	case x.typ != textOperand:
		k.fault(diag.WrongConstant, k.spanOf(n.Arguments[0]), "Text is needed here, not a number.")
		return operand{}, false
	case n.Name == "lower":
		return x, true // comparisons ignore case anyway
	}
	return operand{numberOperand, "len(" + x.source + ")"}, true
}
