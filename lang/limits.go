package lang

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
)

// Limits of what is read. HCL's parser and evaluator recurse without a bound:
// 200 kB of nested brackets overflow the goroutine's stack, which no recover can
// catch, so the tokens are counted before the parser sees them.
const (
	// MaxFileBytes bounds one policy file: ten thousand policies in one file
	// have 1.3 MB.
	MaxFileBytes = 4 << 20
	// MaxDirBytes bounds all policy files of a directory together.
	MaxDirBytes = 16 << 20
	// MaxDepth bounds the nesting of brackets, blocks and templates.
	MaxDepth = 64
	// MaxCriteriaBytes bounds the text of one criterion.
	MaxCriteriaBytes = 64 << 10
	// maxTokens bounds the words and signs of one file, and tokenBytes those of a
	// longer one: so many bytes for each. A megabyte that is all signs makes a
	// tree of 500 MB; policies of the usual density have 200,000 in a megabyte
	// (measured 2026-11).
	maxTokens  = 350_000
	tokenBytes = 3
	// maxSetTokens bounds those of all files of a set, as density counts them: at
	// half a microsecond and up to 100 bytes each (measured 2026-11).
	maxSetTokens = 1_000_000
	// maxLiterals bounds the lines of one heredoc, and the pieces of one string:
	// HCL joins them in quadratic time.
	maxLiterals = 4096
	// maxOperators bounds the operators, index steps and interpolations between
	// two commas, because a left-leaning tree is as deep as it has operators.
	maxOperators = 256
	// maxStringBytes bounds all strings of one value, so that templates that
	// repeat each other cannot double without end.
	maxStringBytes = 1 << 20
	// maxNumberBytes and maxNumberBits bound a number as written and as
	// computed: turning 1e9999999 into text takes 16 s (measured 2026-11).
	maxNumberBytes = 32
	maxNumberBits  = 1024
)

// level is one open bracket, block or template.
type level struct {
	open      hclsyntax.TokenType
	operators int
	literals  int
	hasFor    bool
}

// checkTokens reports the first place where src nests deeper than the parser
// may follow, or is too much for it. It returns true when the file is safe to
// parse.
func checkTokens(name string, src []byte, diags *diag.List) bool {
	most := max(maxTokens, len(src)/tokenBytes)
	if density(src) > most {
		diags.Add(tooManyTokens(name, most))
		return false
	}
	// Lexing errors come back from the parser again, with better words.
	tokens, _ := hclsyntax.LexConfig(src, name, startPos)
	if len(tokens) > most {
		diags.Add(tooManyTokens(name, most))
		return false
	}
	stack := []level{{open: hclsyntax.TokenOBrace}}
	for i, t := range tokens {
		if why := step(&stack, tokens, i); why != "" {
			diags.Add(diag.New(diag.TooDeep, toRange(t.Range), why))
			return false
		}
	}
	return true
}

func tooManyTokens(name string, most int) diag.Diagnostic {
	return diag.New(diag.TooLarge, fileRange(name), fmt.Sprintf("%s holds more than %d words and signs. Split it into several files.", name, most))
}

// density is about how many tokens the lexer will make of src, and at least
// half of them: it counts words, and signs that follow no word. The lexer needs
// 100 bytes a token, so it is not asked about a megabyte of brackets.
func density(src []byte) int {
	n, word := 0, false
	for _, c := range src {
		letter := isLetter(c) || isDigit(c) || c >= utf8.RuneSelf || c == '_'
		switch {
		case letter && word, c == ' ', c == '\t', c == '\r':
		case c == '\n' || letter || !word:
			n++
		case c == '.' || c == ':' || c == '/' || c == '-':
			continue // of addresses and names; the word goes on
		}
		word = letter
	}
	return n
}

// openers and closers are the tokens that begin and end a level; operators are
// those that make an expression's tree deeper without one.
var (
	openers = []hclsyntax.TokenType{
		hclsyntax.TokenOBrace, hclsyntax.TokenOParen, hclsyntax.TokenOBrack, hclsyntax.TokenOQuote,
		hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl,
	}
	closers = []hclsyntax.TokenType{
		hclsyntax.TokenCBrace, hclsyntax.TokenCParen, hclsyntax.TokenCBrack, hclsyntax.TokenCQuote,
		hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd,
	}
	operators = []hclsyntax.TokenType{
		hclsyntax.TokenPlus, hclsyntax.TokenMinus, hclsyntax.TokenStar, hclsyntax.TokenSlash,
		hclsyntax.TokenPercent, hclsyntax.TokenBang, hclsyntax.TokenAnd, hclsyntax.TokenOr,
		hclsyntax.TokenQuestion, hclsyntax.TokenDot, hclsyntax.TokenEqualOp, hclsyntax.TokenNotEqual,
		hclsyntax.TokenLessThan, hclsyntax.TokenLessThanEq, hclsyntax.TokenGreaterThan, hclsyntax.TokenGreaterThanEq,
	}
)

// step takes one token and says what is wrong with it, if anything.
func step(stack *[]level, tokens hclsyntax.Tokens, i int) string {
	top := &(*stack)[len(*stack)-1]
	switch t := tokens[i]; {
	case slices.Contains(openers, t.Type):
		top.operators++
		*stack = append(*stack, level{open: t.Type, hasFor: top.hasFor})
		if len(*stack) > MaxDepth {
			return fmt.Sprintf("Brackets, blocks and templates may nest %d deep. Move inner parts into locals.", MaxDepth)
		}
	case slices.Contains(closers, t.Type):
		if len(*stack) > 1 {
			*stack = (*stack)[:len(*stack)-1]
		}
	case slices.Contains(operators, t.Type):
		top.operators++
	case t.Type == hclsyntax.TokenQuotedLit, t.Type == hclsyntax.TokenStringLit:
		if top.literals++; top.literals > maxLiterals {
			return fmt.Sprintf("A heredoc may have %d lines, and a string as many escaped pieces. Split it into several values.", maxLiterals)
		}
	case t.Type == hclsyntax.TokenComma, t.Type == hclsyntax.TokenNewline && top.open == hclsyntax.TokenOBrace:
		top.operators = 0
	case t.Type == hclsyntax.TokenNumberLit && !plainNumber(string(t.Bytes)):
		return fmt.Sprintf("A number may be %d characters long and have two digits after its e.", maxNumberBytes)
	case t.Type == hclsyntax.TokenIdent:
		return stepIdent(top, tokens, i)
	}
	if top.operators > maxOperators {
		return fmt.Sprintf("One expression may have %d operators. Split it into locals.", maxOperators)
	}
	return ""
}

// plainNumber reports whether a number is of a size that is cheap to handle.
func plainNumber(s string) bool {
	_, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	return len(s) <= maxNumberBytes && len(strings.TrimLeft(exponent, "+-")) <= 2
}

// stepIdent refuses a for expression inside another: two of them over the same
// list take quadratic time, ten of them for ever.
func stepIdent(top *level, tokens hclsyntax.Tokens, i int) string {
	if string(tokens[i].Bytes) != "for" || i == 0 {
		return ""
	}
	if p := tokens[i-1].Type; p != hclsyntax.TokenOBrack && p != hclsyntax.TokenOBrace && p != hclsyntax.TokenTemplateControl {
		return ""
	}
	if top.hasFor {
		return "A for expression may not stand inside another. Move the inner one into a local."
	}
	top.hasFor = true
	return ""
}
