package netify

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/netpol/netpol/lang/suggest"
)

// Limits of criteria, those of netpol's own (lang.MaxDepth, lang.MaxCriteriaBytes).
const (
	maxDepth         = 64
	maxCriteriaBytes = 64 << 10
)

// compactForm is the short form of criteria: one tag or id, no semicolon.
var compactForm = regexp.MustCompile(`^\s*(!?)\s*(ai|pi|ac|pc):([\w./-]+)\s*;?\s*$`)

// compactAttributes are the attributes of the short form.
var compactAttributes = map[string]string{"ai": "app", "pi": "proto", "ac": "app_category", "pc": "proto_category"}

// parse reads one string of criteria.
func parse(text string) (*statement, *criteriaError) {
	s := &statement{text: text}
	if len(text) > maxCriteriaBytes {
		return s, faultAt(0, 1, "Criteria may be %d KiB long.", maxCriteriaBytes>>10)
	}
	switch trimmed := strings.TrimSpace(strings.TrimRight(strings.TrimSpace(text), ";")); {
	case strings.TrimSpace(text) == "":
		s.empty = true
		return s, nil
	case trimmed == "*":
		s.all = true
		return s, nil
	}
	if m := compactForm.FindStringSubmatchIndex(text); m != nil {
		s.root = compact(text, m)
		return s, nil
	}
	tokens, err := lex(text)
	if err != nil {
		return s, err
	}
	p := &parser{tokens: tokens, out: s}
	return s, p.statements()
}

// compact makes a comparison of the short form's match.
func compact(text string, m []int) node {
	attr, _ := findAttribute(compactAttributes[text[m[4]:m[5]]])
	n := &compare{attr: attr, op: "==", from: m[4], to: m[7]}
	if m[2] < m[3] {
		n.op, n.from = "!=", m[2]
	}
	n.value = token{kind: tokenString, text: text[m[6]:m[7]], from: m[6], to: m[7]}
	if numberText.MatchString(n.value.text) {
		n.value.kind = tokenNumber
	}
	return n
}

// parser reads tokens by the agents' grammar:
//
//	statements = { expr ";" }
//	expr       = attr | "!" attr | attr op value | expr ("||" | "&&") expr | "(" expr ")"
//
// The grammar gives && and || no precedence, and the parser generator resolves
// that by shifting: both lean to the right, whichever comes first.
type parser struct {
	tokens []token
	at     int
	depth  int
	out    *statement
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != tokenEnd {
		p.at++
	}
	return t
}

func (p *parser) statements() *criteriaError {
	for first := true; p.peek().kind != tokenEnd; first = false {
		if !first {
			p.out.earlier++
		}
		n, err := p.expr()
		if err != nil {
			return err
		}
		p.out.root = n
		if t := p.next(); t.kind != tokenSemicolon {
			return p.unexpected(t, "; ends an expression")
		}
	}
	return nil
}

// expr reads conditions joined by operators.
func (p *parser) expr() (node, *criteriaError) {
	var list []node
	var and []bool // and[i] joins list[i] and list[i+1]
	for {
		n, err := p.term()
		if err != nil {
			return nil, err
		}
		list = append(list, n)
		if t := p.peek(); t.kind != tokenAnd && t.kind != tokenOr {
			return p.join(list, and)
		}
		and = append(and, p.next().kind == tokenAnd)
	}
}

// join builds the tree of a chain from its end.
func (p *parser) join(list []node, and []bool) (node, *criteriaError) {
	if len(list) == 1 {
		return list[0], nil
	}
	changes := 0
	end := len(list) - 1
	current := []node{list[end]} // of the operator and[end-1], in reverse
	for i := end - 1; i >= 0; i-- {
		if i < end-1 && and[i] != and[i+1] {
			current = []node{newLogic(and[i+1], current)}
			changes++
		}
		current = append(current, list[i])
	}
	root := newLogic(and[0], current)
	if changes > 0 {
		p.out.mixed = append(p.out.mixed, root)
	}
	if changes > maxDepth {
		from, to := root.span()
		return nil, faultAt(from, to, "&& and || take turns more than %d times, which nests the expression as deep.", maxDepth)
	}
	return root, nil
}

func newLogic(and bool, reversed []node) *logic {
	list := slices.Clone(reversed)
	slices.Reverse(list)
	return &logic{and: and, list: list}
}

func (p *parser) term() (node, *criteriaError) {
	t := p.next()
	switch t.kind {
	case tokenOpen:
		return p.parentheses(t)
	case tokenNot:
		return p.negated(t)
	case tokenWord:
		attr, err := p.attribute(t)
		if err != nil {
			return nil, err
		}
		if p.peek().kind == tokenCompare {
			return p.comparison(attr, t)
		}
		return p.alone(attr, t, false, t.from)
	default:
		return nil, p.unexpected(t, "an attribute, ! or ( comes here")
	}
}

func (p *parser) parentheses(open token) (node, *criteriaError) {
	if p.depth++; p.depth > maxDepth {
		return nil, faultAt(open.from, open.to, "Parentheses may nest %d deep.", maxDepth)
	}
	n, err := p.expr()
	if err != nil {
		return nil, err
	}
	p.depth--
	if t := p.next(); t.kind != tokenClose {
		return nil, p.unexpected(t, fmt.Sprintf(") for the ( at character %d is missing", open.from+1))
	}
	return n, nil
}

func (p *parser) negated(not token) (node, *criteriaError) {
	t := p.next()
	if t.kind != tokenWord {
		err := p.unexpected(t, "! stands before an attribute only")
		if t.kind == tokenOpen {
			err.hint = "write the opposite of each comparison, with && and || exchanged"
		}
		return nil, err
	}
	attr, err := p.attribute(t)
	if err != nil {
		return nil, err
	}
	if op := p.peek(); op.kind == tokenCompare {
		err := faultAt(not.from, op.to, "! stands before an attribute alone, not before a comparison.")
		err.hint = "use the opposite operator"
		return nil, err
	}
	return p.alone(attr, t, true, not.from)
}

// alone makes a node of an attribute that is not compared.
func (p *parser) alone(attr attribute, t token, not bool, from int) (node, *criteriaError) {
	if !attr.bare() {
		return nil, faultAt(t.from, t.to, "%s cannot stand alone; compare it with == or !=.", attr.name)
	}
	return &bare{attr: attr, not: not, from: from, to: t.to}, nil
}

// attribute finds the attribute of a word.
func (p *parser) attribute(t token) (attribute, *criteriaError) {
	if a, ok := findAttribute(t.text); ok {
		return a, nil
	}
	if is, ok := spellings[t.text]; ok {
		if a, ok := findAttribute(is); ok {
			p.out.found = append(p.out.found, found{t.from, t.to, t.text, is})
			return a, nil
		}
	}
	err := faultAt(t.from, t.to, "Netify has no attribute %s.", t.text)
	err.hint, err.unknown = suggest.Hint(t.text, attributeNames()), true
	switch lower := strings.ToLower(t.text); {
	case lower == "not":
		err.hint = "write ! before an attribute"
	case lower != t.text:
		if _, ok := findAttribute(lower); ok {
			err.hint = "attributes are written in lower case: " + lower
		}
	}
	return attribute{}, err
}

// unexpected reports a token that cannot stand where it does.
func (p *parser) unexpected(t token, want string) *criteriaError {
	if t.kind == tokenEnd {
		return faultAt(t.from, t.to, "The criteria end too early: %s.", want)
	}
	return faultAt(t.from, t.to, "%q cannot stand here: %s.", p.out.text[t.from:t.to], want)
}
