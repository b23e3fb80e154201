package resolve

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// isComparison reports operators whose result is true or false.
func isComparison(op string) bool {
	switch op {
	case "==", "!=", "<", "<=", ">", ">=", "in", "contains", "startsWith", "endsWith", "matches":
		return true
	}
	return false
}

// mirrored is the operator that says the same with its sides swapped; empty
// when there is none.
func mirrored(op string) string {
	switch op {
	case "==", "!=":
		return op
	case "<":
		return ">"
	case "<=":
		return ">="
	case ">":
		return "<"
	case ">=":
		return "<="
	}
	return ""
}

// atom is a comparison of one attribute with constants, as it was written.
type atom struct {
	attr  fact.Attribute
	name  string // of the attribute, as written
	op    string
	right ast.Node
	span  span
}

// compare resolves a comparison.
func (k *criterion) compare(n *ast.BinaryNode) (ir.Expr, bool) {
	if !k.checkNegated(n) {
		return nil, false
	}
	left, lok := k.plain(n.Left).(*ast.IdentifierNode)
	right, rok := k.plain(n.Right).(*ast.IdentifierNode)
	switch {
	case isConstant(n.Left) && isConstant(n.Right):
		return k.constantComparison(n)
	case isCondition(n.Left) && (isCondition(n.Right) || isConstant(n.Right)), isCondition(n.Right) && isConstant(n.Left):
		return k.equivalenceOrFault(n)
	case lok && isConstant(n.Right) && isPair(left):
		return k.either(left, n.Operator, n.Right, k.spanOf(n))
	case lok && isConstant(n.Right):
		a, ok := k.attribute(left)
		if !ok {
			return nil, false
		}
		return k.atom(atom{a, left.Value, n.Operator, n.Right, k.spanOf(n)})
	case rok && isConstant(n.Left):
		return k.reversed(n, right)
	}
	return k.residual(n)
}

// plain takes lower() off an attribute that is compared without case anyway.
func (k *criterion) plain(n ast.Node) ast.Node {
	b, ok := n.(*ast.BuiltinNode)
	if !ok || b.Name != "lower" || len(b.Arguments) != 1 {
		return n
	}
	if id, ok := b.Arguments[0].(*ast.IdentifierNode); ok {
		if a, ok := fact.Lookup(id.Value); ok && isText(a.Type) && ir.FoldsCase(a) {
			return id
		}
	}
	return n
}

// equivalenceOrFault resolves a comparison with a condition on one side.
func (k *criterion) equivalenceOrFault(n *ast.BinaryNode) (ir.Expr, bool) {
	for _, side := range []ast.Node{n.Left, n.Right} {
		if _, isBool := side.(*ast.BoolNode); isConstant(side) && !isBool {
			k.fault(diag.WrongConstant, k.spanOf(side), "The other side is true or false, so it can be compared with true or false only.")
			return nil, false
		}
	}
	return k.equivalence(n)
}

// checkNegated reports !app == 'zoom', which negates app and not the comparison.
func (k *criterion) checkNegated(n *ast.BinaryNode) bool {
	u, ok := n.Left.(*ast.UnaryNode)
	if !ok || u.Operator != "!" && u.Operator != "not" || isCondition(u.Node) {
		return true
	}
	s := k.spanOf(n)
	inner := k.slice(span{k.spanOf(u.Node).from, s.to})
	k.fault(diag.WrongOperator, k.spanOf(u), "%s binds more tightly than %s, so this negates the left side alone.", u.Operator, n.Operator).
		Hint = "write not (" + inner + ")"
	return false
}

// constantComparison reports two constants, whose comparison no flow changes.
func (k *criterion) constantComparison(n *ast.BinaryNode) (ir.Expr, bool) {
	k.fault(diag.WrongConstant, k.spanOf(n), "Both sides are constants, so no flow can change the outcome. One side is an attribute, such as app.")
	return nil, false
}

// reversed resolves 'zoom' == app and 'h2' in alpn.
func (k *criterion) reversed(n *ast.BinaryNode, right *ast.IdentifierNode) (ir.Expr, bool) {
	op := mirrored(n.Operator)
	if isPair(right) && op != "" {
		return k.either(right, op, n.Left, k.spanOf(n))
	}
	a, ok := k.attribute(right)
	if !ok {
		return nil, false
	}
	if n.Operator == "in" && a.Type == fact.TextList {
		op = "=="
	}
	if op == "" {
		k.fault(diag.WrongOperator, k.spanOf(n), "The attribute stands on the left of %s and the constant on its right.", n.Operator).
			Hint = "write " + right.Value + " " + n.Operator + " " + k.slice(k.spanOf(n.Left))
		return nil, false
	}
	return k.atom(atom{a, right.Value, op, n.Left, k.spanOf(n)})
}

// atom resolves one attribute against constants.
func (k *criterion) atom(a atom) (ir.Expr, bool) {
	if !k.checkOperator(a) {
		return nil, false
	}
	k.subject, k.isQuantity = a.name, isQuantity(a.attr) || a.attr.Name == markName
	defer func() { k.isQuantity = false }()
	constants, ok := k.constants(a.right)
	if !ok {
		return nil, false
	}
	if _, isList := a.right.(*ast.ArrayNode); isList && a.op != "in" {
		k.fault(diag.WrongOperator, k.spanOf(a.right), "%s compares with one constant. A list stands after in.", a.op).Hint = "write " + a.name + " in " + k.slice(k.spanOf(a.right))
		return nil, false
	}
	if len(constants) == 0 {
		k.warnConstant(a.span, false)
		return &ir.Const{Value: false, Range: k.at(a.span)}, true
	}
	var e ir.Expr
	switch {
	case isGeo(a.attr):
		e, ok = k.geoAtom(a, constants)
	case isNumeric(a.attr.Type):
		e, ok = k.numberAtom(a, constants)
	case a.attr.Type == fact.Address:
		e, ok = k.addressAtom(a, constants)
	default:
		e, ok = k.textAtom(a, constants)
	}
	if ok && a.op == "!=" {
		e = ir.NewNot(k.at(a.span), e)
	}
	return e, ok
}

// checkOperator reports an operator that the attribute's type has not.
func (k *criterion) checkOperator(a atom) bool {
	allowed := operators(a.attr.Type)
	if isGeo(a.attr) {
		allowed = operators(fact.Address) // which it becomes
	}
	if slices.Contains(allowed, a.op) {
		return true
	}
	d := k.fault(diag.WrongOperator, a.span, "%s is %s, and %s does not work on it. What works is %s.", a.name, withArticle(a.attr.Type), a.op, strings.Join(allowed, ", "))
	if a.attr.Type == fact.TextList {
		d.Hint = "write " + a.name + " in ['h2'] to look for an element"
	}
	if a.attr.Type == fact.Address {
		d.Hint = "write " + a.name + " in '10.0.0.0/8' for a block of addresses"
	}
	return false
}

// withArticle is the type's word for a sentence.
func withArticle(t fact.Type) string {
	if strings.ContainsRune("aeiou", rune(t.String()[0])) {
		return "an " + t.String()
	}
	return "a " + t.String()
}

// operators lists what can be done with a type.
func operators(t fact.Type) []string {
	switch t {
	case fact.Number, fact.Port, fact.TLSVersion, fact.TimeOfDay:
		return []string{"==", "!=", "<", "<=", ">", ">=", "in"}
	case fact.Text, fact.Hostname, fact.ApplicationName, fact.ProtocolName, fact.CategoryName, fact.BrandName:
		return []string{"==", "!=", "in", "contains", "startsWith", "endsWith", "matches"}
	case fact.Address, fact.TextList, fact.EvidenceName, fact.Flag, fact.MAC, fact.EnumName, fact.ScheduleName, fact.InterfaceName:
		return []string{"==", "!=", "in"}
	}
	return nil
}

// isNumeric reports types whose Go value is an int.
func isNumeric(t fact.Type) bool {
	return t == fact.Number || t == fact.Port || t == fact.TLSVersion || t == fact.TimeOfDay
}

// isText reports types whose Go value is a string.
func isText(t fact.Type) bool {
	return !isNumeric(t) && t != fact.Address && t != fact.Flag
}
