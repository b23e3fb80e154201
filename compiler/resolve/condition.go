package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/lang/suggest"
)

// maxConditions bounds a condition after cond ? a : b and comparisons of two
// conditions, which use their parts twice, have been written out.
const maxConditions = 1 << 14

// condition resolves a node that is true or false. It returns false after
// reporting a mistake.
func (k *criterion) condition(n ast.Node) (ir.Expr, bool) {
	switch n := n.(type) {
	case *ast.BoolNode:
		return k.constant(n)
	case *ast.IdentifierNode:
		return k.bareAttribute(n)
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			x, ok := k.condition(n.Node)
			if !ok {
				return nil, false
			}
			return ir.NewNot(k.at(k.spanOf(n)), x), true
		}
	case *ast.BinaryNode:
		if isAnd(n) || isOr(n) {
			return k.list(n)
		}
		if isComparison(n.Operator) {
			return k.compare(n)
		}
	case *ast.ConditionalNode:
		return k.choice(n)
	case *ast.CallNode:
		return k.call(n)
	}
	return k.notCondition(n)
}

func isAnd(n ast.Node) bool { return isBinary(n, "and", "&&") }

func isOr(n ast.Node) bool { return isBinary(n, "or", "||") }

func isBinary(n ast.Node, ops ...string) bool {
	b, ok := n.(*ast.BinaryNode)
	return ok && slices.Contains(ops, b.Operator)
}

// isCondition reports whether a node can only be true or false.
func isCondition(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BoolNode:
		return true
	case *ast.IdentifierNode:
		a, ok := fact.Lookup(n.Value)
		return ok && a.Type == fact.Flag
	case *ast.UnaryNode:
		return n.Operator == "!" || n.Operator == "not"
	case *ast.BinaryNode:
		return isAnd(n) || isOr(n) || isComparison(n.Operator)
	case *ast.CallNode:
		return true
	case *ast.ConditionalNode:
		return isCondition(n.Exp1)
	}
	return false
}

// constant resolves a written true or false. As the whole criterion true is the
// way to match every flow; anywhere else it makes its surroundings pointless.
func (k *criterion) constant(n *ast.BoolNode) (ir.Expr, bool) {
	s := k.spanOf(n)
	if n != k.root || !n.Value {
		k.warnConstant(s, n.Value)
	}
	return &ir.Const{Value: n.Value, Range: k.at(s)}, true
}

// warnConstant tells that a condition does not depend on the flow.
func (k *criterion) warnConstant(s span, value bool) {
	word, wayOut := "true", "Leave it out."
	if !value {
		word, wayOut = "false", "To switch a policy off, write enabled = false."
	}
	k.fault(diag.ConstantCondition, s, "This is always %s. %s", word, wayOut)
}

// bareAttribute resolves an attribute that stands alone.
func (k *criterion) bareAttribute(n *ast.IdentifierNode) (ir.Expr, bool) {
	a, ok := k.attribute(n)
	if !ok {
		return nil, false
	}
	s := k.spanOf(n)
	if a.Type != fact.Flag {
		hint := fmt.Sprintf("write %s != '' for \"is known\"", n.Value)
		if isNumeric(a.Type) {
			hint = fmt.Sprintf("write %s != 0", n.Value)
		}
		switch {
		case a.Type == fact.Address:
			hint = fmt.Sprintf("write %s in ['10.0.0.0/8']", n.Value)
		case a.Type == fact.TimeOfDay:
			hint = fmt.Sprintf("write %s in '08:00'..'18:00'", n.Value)
		case a.Type == fact.ScheduleName:
			hint = fmt.Sprintf("write %s == 'name'", n.Value)
		case a.Values != nil:
			hint = fmt.Sprintf("write %s == '%s'", n.Value, a.Values[0])
		}
		k.fault(diag.NotACondition, s, "%s is %s, which is neither true nor false. Compare it with something.", n.Value, withArticle(a.Type)).Hint = hint
		return nil, false
	}
	return &ir.Compare{Attr: a, Op: ir.OpTrue, Range: k.at(s), Text: n.Value}, true
}

// attribute finds the attribute that a name means.
func (k *criterion) attribute(n *ast.IdentifierNode) (fact.Attribute, bool) {
	if a, ok := fact.Lookup(n.Value); ok {
		return a, true
	}
	if first, second, ok := fact.LookupPair(n.Value); ok {
		k.fault(diag.WrongOperator, k.spanOf(n), "%s stands for %s or %s, and can be compared with constants only.", n.Value, first.Name, second.Name)
		return fact.Attribute{}, false
	}
	var known []string
	for _, a := range fact.Attributes {
		known = append(append(known, a.Name), a.Aliases...)
	}
	for _, p := range fact.Pairs {
		known = append(known, p.Name)
	}
	hint := k.r.hints.Hint(n.Value, known)
	if ours, ok := habits()[strings.ToLower(n.Value)]; ok {
		hint = fmt.Sprintf("write %s", ours)
	}
	if lower := strings.ToLower(n.Value); slices.Contains(k.r.names.applications, lower) || slices.Contains(k.r.names.protocols, lower) {
		hint = fmt.Sprintf("text stands in single quotes: '%s'", n.Value)
	}
	k.fault(diag.UnknownAttribute, k.spanOf(n), "No attribute is named %s.", n.Value).Hint = hint
	return fact.Attribute{}, false
}

// habits are what nft, tcpdump and tc call attributes that have other names here.
func habits() map[string]string {
	return map[string]string{
		"dport": "dst_port", "sport": "src_port", "saddr": "src_ip", "daddr": "dst_ip", "src": "src_ip", "dst": "dst_ip",
		"iif": "interface", "iifname": "interface", "oif": "interface_out", "oifname": "interface_out",
		"l4proto": "ip_protocol", "mark": "ct_mark", "sni": "hostname",
	}
}

// list resolves a chain of one connective, however long, without recursion.
func (k *criterion) list(n *ast.BinaryNode) (ir.Expr, bool) {
	same := isOr
	if isAnd(n) {
		same = isAnd
	}
	var operands []ast.Node
	var rest ast.Node = n
	for same(rest) {
		b := rest.(*ast.BinaryNode)
		operands = append(operands, b.Right)
		rest = b.Left
	}
	operands = append(operands, rest)
	slices.Reverse(operands)
	parts, ok := make([]ir.Expr, 0, len(operands)), true
	for _, o := range operands {
		e, good := k.condition(o)
		ok = ok && good
		parts = append(parts, e)
	}
	if !ok {
		return nil, false
	}
	at := k.at(span{k.spanOf(operands[0]).from, k.spanOf(operands[len(operands)-1]).to})
	if isAnd(n) {
		return ir.NewAnd(at, parts...), true
	}
	return ir.NewOr(at, parts...), true
}

// choice writes cond ? a : b as cond and a or not cond and b.
func (k *criterion) choice(n *ast.ConditionalNode) (ir.Expr, bool) {
	cond, ok1 := k.condition(n.Cond)
	a, ok2 := k.condition(n.Exp1)
	b, ok3 := k.condition(n.Exp2)
	if !ok1 || !ok2 || !ok3 {
		return nil, false
	}
	s := k.spanOf(n)
	at := k.at(s)
	return k.bounded(s, ir.NewOr(at, ir.NewAnd(at, cond, a), ir.NewAnd(at, ir.NewNot(at, cond), b)))
}

// equivalence resolves == and != between two conditions.
func (k *criterion) equivalence(n *ast.BinaryNode) (ir.Expr, bool) {
	s := k.spanOf(n)
	if n.Operator != "==" && n.Operator != "!=" {
		k.fault(diag.WrongOperator, s, "Conditions can be joined by and and or, and compared by == and != only.")
		return nil, false
	}
	// A flag compared with true or false is no constant condition.
	flag, lit := n.Left, n.Right
	if _, ok := flag.(*ast.BoolNode); ok {
		flag, lit = lit, flag
	}
	if b, ok := lit.(*ast.BoolNode); ok {
		x, good := k.condition(flag)
		if good && b.Value != (n.Operator == "==") {
			x = ir.NewNot(k.at(s), x)
		}
		return x, good
	}
	a, ok1 := k.condition(n.Left)
	b, ok2 := k.condition(n.Right)
	if !ok1 || !ok2 {
		return nil, false
	}
	at := k.at(s)
	if n.Operator == "!=" {
		b = ir.NewNot(at, b)
	}
	return k.bounded(s, ir.NewOr(at, ir.NewAnd(at, a, b), ir.NewAnd(at, ir.NewNot(at, a), ir.NewNot(at, b))))
}

// bounded reports a condition that has grown too large.
func (k *criterion) bounded(s span, e ir.Expr) (ir.Expr, bool) {
	if count := countConditions(e, maxConditions); count > maxConditions {
		k.fault(diag.TooComplex, s, "Written out with and, or and not, this is more than %d conditions. Split it into several policies.", maxConditions)
		return nil, false
	}
	return e, true
}

// countConditions counts the conditions of a tree and stops past limit.
func countConditions(e ir.Expr, limit int) int {
	var list []ir.Expr
	switch e := e.(type) {
	case *ir.And:
		list = e.List
	case *ir.Or:
		list = e.List
	case *ir.Not:
		list = []ir.Expr{e.X}
	case *ir.Const, *ir.Compare, *ir.Residual:
	}
	n := 1
	for _, x := range list {
		if n > limit {
			return n
		}
		n += countConditions(x, limit-n)
	}
	return n
}

// notCondition reports a node that is not true or false.
func (k *criterion) notCondition(n ast.Node) (ir.Expr, bool) {
	s := k.spanOf(n)
	switch n := n.(type) {
	case *ast.BuiltinNode:
		return k.unknownFunction(n.Name, s)
	case *ast.MemberNode, *ast.ChainNode:
		k.fault(diag.UnsupportedExpression, s, "Attributes have no parts.")
		return nil, false
	case *ast.StringNode:
		hint := ""
		if lower := strings.ToLower(n.Value); slices.Contains(k.r.names.applications, lower) {
			hint = fmt.Sprintf("write app == '%s'", lower)
		}
		k.fault(diag.NotACondition, s, "A string is neither true nor false. Compare an attribute with it.").Hint = hint
		return nil, false
	}
	k.fault(diag.NotACondition, s, "A condition is needed here, something true or false such as app == 'zoom'.")
	return nil, false
}

// call resolves domain(hostname, 'zoom.us').
func (k *criterion) call(n *ast.CallNode) (ir.Expr, bool) {
	name, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		k.fault(diag.UnsupportedExpression, k.spanOf(n), "Attributes have no methods.")
		return nil, false
	}
	if name.Value != "domain" {
		return k.unknownFunction(name.Value, k.spanOf(n))
	}
	const usage = "domain takes a host name and one or more domains: domain(hostname, 'zoom.us', 'zoom.com')."
	if len(n.Arguments) < 2 {
		k.fault(diag.WrongConstant, k.spanOf(n), usage)
		return nil, false
	}
	id, ok := n.Arguments[0].(*ast.IdentifierNode)
	if !ok {
		k.fault(diag.WrongOperator, k.spanOf(n.Arguments[0]), usage)
		return nil, false
	}
	a, ok := k.attribute(id)
	if !ok {
		return nil, false
	}
	if a.Type != fact.Hostname {
		k.fault(diag.WrongOperator, k.spanOf(id), "%s is %s, not a host name. %s", id.Value, withArticle(a.Type), usage)
		return nil, false
	}
	return k.domains(n, a)
}

func (k *criterion) domains(n *ast.CallNode, a fact.Attribute) (ir.Expr, bool) {
	var list []string
	for _, arg := range n.Arguments[1:] {
		constants, ok := k.constants(arg)
		if !ok {
			return nil, false
		}
		for _, c := range constants {
			d, ok := k.domainName(c)
			if !ok {
				return nil, false
			}
			list = append(list, d)
		}
	}
	return k.strings(a, ir.OpDomain, list, k.spanOf(n)), true
}

// domainName checks a constant that a host name is compared with.
func (k *criterion) domainName(c constant) (string, bool) {
	if c.kind != stringConstant {
		k.fault(diag.WrongConstant, c.span, "A domain is written as a string, such as 'zoom.us'.")
		return "", false
	}
	name, fault := lang.ParseDomain(c.text)
	if fault.Code != "" {
		fault.Subject = k.at(c.span)
		k.r.diags.Add(fault)
		return "", false
	}
	return name, true
}

// functions are the functions of criteria, for did-you-mean.
func functions() []string { return []string{"abs", "domain", "len", "lower"} }

func (k *criterion) unknownFunction(name string, s span) (ir.Expr, bool) {
	if name == "len" || name == "lower" || name == "abs" {
		k.fault(diag.NotACondition, s, "%s(...) is neither true nor false. Compare it with something.", name)
		return nil, false
	}
	hint := suggest.Hint(name, functions())
	for _, op := range []string{"contains", "endsWith", "matches", "startsWith"} {
		if strings.EqualFold(op, strings.ReplaceAll(name, "_", "")) {
			hint = "write hostname " + op + " 'text'"
		}
	}
	k.fault(diag.UnknownFunction, s, "Criteria have no function %s. They have %s.", name, strings.Join(functions(), ", ")).Hint = hint
	return nil, false
}
