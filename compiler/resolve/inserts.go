package resolve

import (
	"sort"

	"github.com/expr-lang/expr/parser/lexer"

	"github.com/netpol/netpol/lang/diag"
)

// checkInserts makes sure that each value that was put into the text is whole
// constants in a place where a constant can stand. lang writes them so that they
// are, wherever they stand in an expression; inside of a string, or right after
// a name, the same characters would mean something else.
func (k *criterion) checkInserts() bool {
	ok := true
	for _, in := range k.source.Inserts() {
		s := span{sort.SearchInts(k.runes, in.From), sort.SearchInts(k.runes, in.To)}
		if !k.isOperand(s) {
			k.fault(diag.InterpolatedCriteria, s, "A value becomes a constant with its own quotes, so it stands where a constant can: after an operator, a comma or an opening bracket, and not inside of a string.")
			ok = false
		}
	}
	return ok
}

// isOperand reports whether a stretch of the text is whole tokens that begin
// where an operand may.
func (k *criterion) isOperand(s span) bool {
	first := k.tokenAfter(s.from)
	if first >= len(k.tokens) || k.tokens[first].From != s.from {
		return false
	}
	last := k.tokenAfter(s.to) - 1
	if k.tokens[last].Kind == lexer.EOF { // which expr places on the last character
		last--
	}
	if last < first || k.tokens[last].To != s.to {
		return false
	}
	if first == 0 {
		return true
	}
	before := k.tokens[first-1]
	return before.Kind == lexer.Operator || before.Kind == lexer.Bracket && (before.Value == "(" || before.Value == "[")
}
