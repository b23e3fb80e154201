package resolve

import (
	"github.com/expr-lang/expr/ast"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/fact"
)

// isPair reports names that stand for two attributes, such as ip.
func isPair(n *ast.IdentifierNode) bool {
	_, _, ok := fact.LookupPair(n.Value)
	return ok
}

// either resolves a comparison with a pair: it holds when it holds for either
// attribute, and != when == holds for neither. (Netify's != holds when one of
// the two differs, which is nearly always.)
func (k *criterion) either(name *ast.IdentifierNode, op string, right ast.Node, s span) (ir.Expr, bool) {
	first, second, _ := fact.LookupPair(name.Value)
	negate := op == "!="
	if negate {
		op = "=="
	}
	a, ok := k.atom(atom{first, name.Value, op, right, s})
	if !ok {
		return nil, false
	}
	if _, constant := a.(*ir.Const); !constant { // said of the first, it holds of both
		b, ok := k.atom(atom{second, name.Value, op, right, s})
		if !ok {
			return nil, false
		}
		a = ir.NewOr(k.at(s), a, b)
	}
	if negate {
		a = ir.NewNot(k.at(s), a)
	}
	return a, true
}
