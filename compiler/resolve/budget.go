package resolve

import (
	"fmt"
	"regexp/syntax"

	"github.com/expr-lang/expr/parser/lexer"

	"github.com/netpol/netpol/lang/diag"
)

// What the conditions of a set may hold together. Locals and address groups are
// written once and used often, so a small file can ask for much.
const (
	// maxConstants bounds the constants of all comparisons; address groups that
	// are used whole are shared and do not count.
	maxConstants = 1 << 21
	// maxTokens bounds the words and signs of all criteria, each as often as it
	// is used, at about 2 us each (measured 2026-11).
	maxTokens = 400_000
	// ternaryTokens is what "c ? a : b" costs besides: c is there twice.
	ternaryTokens = 50
	// maxMembers bounds the addresses of all groups, with the groups inside them
	// written out.
	maxMembers = 1 << 20
	// maxPattern and maxPatterns bound the instructions of one regular expression
	// and of all of them. netpold compiles them at 0.4 us and 50 bytes each
	// (measured 2026-11).
	maxPattern  = 10_000
	maxPatterns = 500_000
	// maxResidual bounds the source of a condition that becomes bytecode; expr
	// compiles at most 10,000 nodes.
	maxResidual = 16 << 10
)

// budget counts what has been used.
type budget struct {
	constants, members, patterns, tokens int
	told                                 bool
}

// spend takes n constants from the budget. The first time that there are too
// few it tells the author.
func (k *criterion) spend(n int, s span) bool {
	k.r.budget.constants += n
	if k.r.budget.constants <= maxConstants {
		return true
	}
	if !k.r.budget.told {
		k.r.budget.told = true
		k.fault(diag.TooComplex, s, "The criteria of this set compare with more than %d constants in all. Use a long list in fewer policies, or put its addresses into an address_group.", maxConstants)
	}
	return false
}

// spendTokens takes the criterion's text from the budget. After the first that
// finds too little left nothing is read any more.
func (k *criterion) spendTokens() bool {
	b := &k.r.budget
	b.tokens += len(k.tokens)
	for _, t := range k.tokens {
		if t.Kind == lexer.Operator && t.Value == "?" {
			b.tokens += ternaryTokens
		}
	}
	if b.tokens <= maxTokens {
		return true
	}
	k.fault(diag.TooComplex, span{0, len(k.runes) - 1}, "The criteria of this set hold more than %d words and signs together, each counted wherever it is used; what comes after this was not looked at. Put addresses into address_group blocks, and join policies of the same effect.", maxTokens)
	return false
}

// spendPattern takes a regular expression from the budget.
func (k *criterion) spendPattern(re *syntax.Regexp, s span) bool {
	size := patternSize(re)
	if size > maxPattern {
		k.fault(diag.InvalidRegex, s, "The regular expression is too large: written out it has more than %d parts. Repeat less in it.", maxPattern)
		return false
	}
	if k.r.budget.patterns += size; k.r.budget.patterns > maxPatterns {
		k.fault(diag.TooComplex, s, "The regular expressions of this set are too large together. Use contains, startsWith, endsWith or domain() where they do.")
		return false
	}
	return true
}

// patternSize is about how many instructions a regular expression compiles to.
func patternSize(re *syntax.Regexp) int {
	size := 1
	for _, s := range re.Sub {
		size += patternSize(s)
	}
	switch re.Op {
	case syntax.OpLiteral:
		size += len(re.Rune)
	case syntax.OpCharClass:
		size += len(re.Rune) / 8
	case syntax.OpRepeat:
		size *= max(1, re.Min, re.Max)
	default: // one instruction
	}
	return min(size, 1<<30)
}

// spendMembers takes the addresses of a group from the budget.
func (r *resolver) spendMembers(n int, name string, at diag.Range) bool {
	if r.budget.members += n; r.budget.members <= maxMembers {
		return true
	}
	r.diags.Add(diag.New(diag.TooComplex, at, fmt.Sprintf("With the groups inside them written out, the address groups up to %q hold more than %d addresses in all. Nest large groups less.", name, maxMembers)))
	return false
}
