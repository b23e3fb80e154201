package resolve

import (
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/parser/lexer"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

// criterion is one string of criteria on its way from text to condition.
type criterion struct {
	r      *resolver
	source *lang.Criteria
	text   string
	runes  []int // byte offset of each character and of the end: expr counts in characters
	tokens []lexer.Token
	closes map[int]int // start of an opening bracket -> end of its closing one, in characters
	root   ast.Node
	// subject is the attribute whose constants are being read, for hints.
	subject string
	// isQuantity says that its constants may be quoted: times and sizes.
	isQuantity bool
}

// resolveCriteria resolves one string of criteria; nil after a mistake.
func (r *resolver) resolveCriteria(c *lang.Criteria) ir.Expr {
	if r.budget.tokens > maxTokens {
		return nil // told
	}
	k := &criterion{r: r, source: c, text: c.Text, subject: "hostname"}
	for i := range c.Text {
		k.runes = append(k.runes, i)
	}
	k.runes = append(k.runes, len(c.Text))
	if !k.checkForeign() || !k.lex() || !k.spendTokens() || !k.checkInserts() || !k.checkTokens() || !k.parse() {
		return nil
	}
	e, ok := k.condition(k.root)
	if !ok {
		return nil
	}
	return e
}

// span is a stretch of the text in characters, as expr counts.
type span struct{ from, to int }

// at is the place in the file of a stretch of the text.
func (k *criterion) at(s span) diag.Range {
	last := len(k.runes) - 1
	from := min(max(s.from, 0), last)
	to := min(max(s.to, from), last)
	if from == to && from > 0 {
		from-- // a caret needs something to stand under
	}
	return k.source.RangeOf(k.runes[from], k.runes[to])
}

// slice is a stretch of the text on one line.
func (k *criterion) slice(s span) string {
	return strings.Join(strings.Fields(k.text[k.runes[s.from]:k.runes[s.to]]), " ")
}

// fault reports a mistake.
func (k *criterion) fault(code string, s span, format string, args ...any) *diag.Diagnostic {
	k.r.diags.Add(diag.New(code, k.at(s), fmt.Sprintf(format, args...)))
	return &k.r.diags[len(k.r.diags)-1]
}

// Netify's short forms, from its criteria grammar: "*" and "!ai:netify.zoom".
var netifyCompact = regexp.MustCompile(`^\s*(!?)\s*(ai|pi|ac|pc):([\w./-]+)\s*;?\s*$`)

// checkForeign reports the forms of Netify's criteria that are not expressions.
func (k *criterion) checkForeign() bool {
	whole := span{0, len(k.runes) - 1}
	if trimCriteria(k.text) == "*" {
		k.fault(diag.CriteriaSyntax, whole, "Netify writes * for every flow; here that is the expression true.").Hint = `write "true"`
		return false
	}
	m := netifyCompact.FindStringSubmatch(k.text)
	if m == nil {
		return true
	}
	attr := map[string]string{"ai": "app", "pi": "protocol", "ac": "app_category", "pc": "protocol_category"}[m[2]]
	op := "=="
	if m[1] != "" {
		op = "!="
	}
	k.fault(diag.CriteriaSyntax, whole, "This is Netify's compact form; criteria are expressions here.").Hint = fmt.Sprintf("write \"%s %s '%s'\"", attr, op, strings.TrimPrefix(m[3], "netify."))
	return false
}

// lex splits the text into tokens.
func (k *criterion) lex() bool {
	tokens, err := lexer.Lex(file.NewSource(k.text))
	k.tokens = tokens
	if err == nil && k.lowerKeywords() {
		k.tokens, err = lexer.Lex(file.NewSource(k.text))
	}
	return k.syntaxFault(err)
}

// lowerKeywords writes AND, Or and TRUE in lower case, as Netify does not ask
// for it. No attribute has such a name, and no place in the text moves.
func (k *criterion) lowerKeywords() bool {
	text := []byte(k.text)
	for _, t := range k.tokens {
		switch lower := strings.ToLower(t.Value); lower {
		case "and", "or", "not", "in", "true", "false":
			if t.Kind == lexer.Identifier && t.Value != lower {
				copy(text[k.runes[t.From]:], lower)
			}
		}
	}
	changed := string(text) != k.text
	k.text = string(text)
	return changed
}

// parse reads the tokens into a tree. A trailing semicolon is Netify's way to
// end an expression and means nothing.
func (k *criterion) parse() bool {
	tree, err := parser.ParseWithConfig(k.text, k.r.config)
	if !k.syntaxFault(err) {
		return false
	}
	k.root = tree.Node
	return true
}

// syntaxFault reports an error of expr's lexer or parser.
func (k *criterion) syntaxFault(err error) bool {
	if err == nil {
		return true
	}
	var e *file.Error
	if !errors.As(err, &e) {
		k.fault(diag.CriteriaSyntax, span{0, len(k.runes) - 1}, "The expression cannot be read: %v.", err)
		return false
	}
	at := span{e.From, max(e.To, e.From+1)}
	if e.Message == "unexpected token EOF" {
		k.fault(diag.CriteriaSyntax, at, "The expression ends too early.").Hint = k.unclosed()
		return false
	}
	message := exprToken.ReplaceAllString(e.Message, "unexpected $1")
	k.fault(diag.CriteriaSyntax, at, "The expression cannot be read: %s.", message).Hint = k.syntaxHint(e)
	return false
}

// exprToken is how expr's parser names a token, as in: unexpected token
// Operator("=").
var exprToken = regexp.MustCompile(`^unexpected token [A-Za-z]+\("(.*)"\)$`)

// unclosed names a bracket that is never closed, if there is one.
func (k *criterion) unclosed() string {
	for _, t := range k.tokens {
		if _, closed := k.closes[t.From]; t.Kind == lexer.Bracket && strings.Contains("([{", t.Value) && !closed {
			return "the " + t.Value + " before \"" + k.slice(span{t.To, min(t.To+10, len(k.runes)-1)}) + "\" is never closed"
		}
	}
	return ""
}

// syntaxHint knows the slips that people make.
func (k *criterion) syntaxHint(e *file.Error) string {
	from := k.runes[min(e.From, len(k.runes)-1)]
	rest := k.text[from:]
	before := strings.TrimRight(k.text[:from], " \t\r\n")
	word := before[strings.LastIndexAny(before, " \t\r\n()")+1:]
	switch {
	case strings.HasPrefix(e.Message, "bad number syntax"):
		return "a number with a unit stands in quotes: '10MB', '5m', '2Mbit'"
	case strings.Contains(e.Message, "char escape"):
		return "in a pattern '[.]' is a dot without a backslash; a backslash in '...' must be doubled, and again in an HCL string: '\\\\\\\\.', or once between backquotes: `\\\\.`"
	case strings.HasPrefix(rest, "=~") || strings.HasPrefix(rest, "~"):
		return "write matches for regular expressions"
	case strings.HasPrefix(rest, "=") && !strings.HasPrefix(rest, "=="):
		return "write == to compare"
	case strings.ContainsAny(firstRune(rest), "\u2018\u2019\u201a\u201c\u201d\u201e"):
		return "text stands in plain quotes: 'zoom'"
	case strings.HasPrefix(rest, "@"):
		return "a group stands in quotes: '@guests'"
	case strings.HasPrefix(rest, ",") && listInParentheses.MatchString(before):
		return "a list stands in brackets: in ['zoom', 'webex']"
	case strings.Contains(e.Message, "not terminated"):
		return "strings end with the quote that they began with"
	case strings.HasPrefix(rest, ".") || bareAddress.MatchString(word) || bareAddress.MatchString(rest):
		return "addresses stand in quotes: '10.0.0.0/8'"
	}
	return ""
}

func firstRune(s string) string {
	_, size := utf8.DecodeRuneInString(s)
	return s[:size]
}

var listInParentheses = regexp.MustCompile(`(?i)\bin *\([^()]*$`)

var bareAddress = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]*`)

// spanOf is the stretch that a node was written in, its own brackets included.
func (k *criterion) spanOf(n ast.Node) span {
	s := span{n.Location().From, n.Location().To}
	if c, ok := n.(*ast.ConditionalNode); ok {
		// The parser gives it the token after it.
		s = k.spanOf(c.Cond)
	}
	for _, child := range children(n) {
		c := k.spanOf(child)
		s.from, s.to = min(s.from, c.from), max(s.to, c.to)
	}
	switch n.(type) {
	case *ast.ArrayNode, *ast.MapNode:
		s.to = max(s.to, k.closes[n.Location().From])
	case *ast.CallNode, *ast.BuiltinNode:
		if i := k.tokenAfter(n.Location().To); i < len(k.tokens) && k.tokens[i].Value == "(" {
			s.to = max(s.to, k.closes[k.tokens[i].From])
		}
	}
	return s
}

// tokenAfter is the index of the first token that begins at or after a character.
func (k *criterion) tokenAfter(char int) int {
	return sort.Search(len(k.tokens), func(i int) bool { return k.tokens[i].From >= char })
}

// children lists the nodes below a node.
func children(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.UnaryNode:
		return []ast.Node{n.Node}
	case *ast.BinaryNode:
		return []ast.Node{n.Left, n.Right}
	case *ast.ConditionalNode:
		return []ast.Node{n.Cond, n.Exp1, n.Exp2}
	case *ast.ArrayNode:
		return n.Nodes
	case *ast.CallNode:
		return n.Arguments
	case *ast.BuiltinNode:
		return n.Arguments
	case *ast.MemberNode:
		return []ast.Node{n.Node, n.Property}
	case *ast.ChainNode:
		return []ast.Node{n.Node}
	case *ast.SequenceNode:
		return n.Nodes
	}
	return nil
}
