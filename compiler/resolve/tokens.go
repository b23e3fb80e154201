package resolve

import (
	"strings"

	"github.com/expr-lang/expr/parser/lexer"

	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

// unsupported is what to do instead of a part of the expression language that
// criteria have not, and empty for all other tokens. Refusing these here keeps
// the parser to what a flow needs.
func unsupported(t lexer.Token) string {
	if t.Kind == lexer.Bytes {
		return "Criteria have no byte strings; leave the b before the quotes out."
	}
	if t.Kind != lexer.Operator && t.Kind != lexer.Bracket {
		return ""
	}
	switch t.Value {
	case "let":
		return "Criteria have no variables of their own; use a locals block."
	case "if":
		return "Use and, or and parentheses, or cond ? a : b."
	case "#":
		return "A comment in criteria begins with //. Closures are not supported; compare with a list: app in ['zoom', 'teams']."
	case "|":
		return "Criteria have no pipes; write or, or ||, between conditions."
	case "&":
		return "Write and, or &&, between conditions."
	case "{":
		return "Criteria have no maps; lists stand in [ ]."
	case "::":
		return "Criteria have no namespaces."
	case "??":
		return "An attribute that is not known is '' or 0, never nil."
	case "?.":
		return "Attributes have no parts."
	case "**", "^":
		return "Criteria have no powers; write the number."
	}
	return ""
}

// maxDigits bounds a number's text; 18 digits always fit an int.
const maxDigits = 18

// tokenLevel is what is known of one bracket while its tokens pass by.
type tokenLevel struct {
	from    int // of the bracket
	and, or bool
}

// checkTokens bounds what the parser will recurse into and reports what
// criteria do not support, before the parser runs.
func (k *criterion) checkTokens() bool {
	k.closes = map[int]int{}
	ok := true
	stack := []tokenLevel{{from: -1}}
	prefixes, branches := 0, 0
	for i, t := range k.tokens {
		if t.Kind == lexer.Operator && isPrefix(t.Value) {
			prefixes++
		} else {
			prefixes = 0
		}
		if t.Kind == lexer.Operator && t.Value == "?" {
			branches++
		}
		if len(stack)+prefixes+branches > lang.MaxDepth {
			k.fault(diag.TooDeep, tokenSpan(t), "Brackets, negations and ? : may nest %d deep. Split the criteria into a list.", lang.MaxDepth)
			return false
		}
		if t.Kind == lexer.Number && len(t.Value) > maxDigits {
			k.fault(diag.NumberOutOfRange, tokenSpan(t), "No attribute is that large.")
			ok = false
		}
		if why := unsupported(t); why != "" {
			k.fault(diag.UnsupportedExpression, tokenSpan(t), "%s", why)
			ok = false
		}
		ok = k.checkSequence(i) && ok
		stack = k.track(stack, t)
	}
	return ok
}

func tokenSpan(t lexer.Token) span { return span{t.From, t.To} }

// isPrefix reports operators that can stand before an operand many times over.
func isPrefix(op string) bool { return op == "!" || op == "not" || op == "-" || op == "+" }

// checkSequence reports an expression after a semicolon: only the last of
// several would count, which nobody means.
func (k *criterion) checkSequence(i int) bool {
	t := k.tokens[i]
	if t.Kind != lexer.Operator || t.Value != ";" || i+1 >= len(k.tokens) {
		return true
	}
	if next := k.tokens[i+1]; next.Kind == lexer.EOF || next.Value == ";" && next.Kind == lexer.Operator {
		return true
	}
	k.fault(diag.UnsupportedExpression, tokenSpan(t), "A criterion is one expression. Join two by and or or, or write criteria as a list, of which any may match.")
	return false
}

// track follows brackets, and warns where and and or meet inside one pair.
func (k *criterion) track(stack []tokenLevel, t lexer.Token) []tokenLevel {
	top := &stack[len(stack)-1]
	switch {
	case t.Kind == lexer.Bracket && strings.Contains("([{", t.Value):
		return append(stack, tokenLevel{from: t.From})
	case t.Kind == lexer.Bracket:
		if len(stack) > 1 {
			k.closes[top.from] = t.To
			return stack[:len(stack)-1]
		}
	case t.Kind != lexer.Operator:
	case t.Value == "," || t.Value == "?" || t.Value == ":":
		top.and, top.or = false, false
	case t.Value == "and" || t.Value == "&&":
		k.warnMixed(t, top.or && !top.and)
		top.and = true
	case t.Value == "or" || t.Value == "||":
		k.warnMixed(t, top.and && !top.or)
		top.or = true
	}
	return stack
}

func (k *criterion) warnMixed(t lexer.Token, mixed bool) {
	if mixed {
		k.fault(diag.MixedAndOr, tokenSpan(t), "Here and binds more tightly than or: a or b and c means a or (b and c). Netify reads the two from right to left, so the same text can mean something else there. Write the parentheses.")
	}
}
