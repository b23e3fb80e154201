package opengfw

import (
	"slices"
	"strconv"
	"strings"
)

// maxDepth bounds the nesting of an expression, and maxBytes its length.
const (
	maxDepth = 64
	maxBytes = 64 << 10
)

// nodeKind is what a node of an expression is.
type nodeKind uint8

const (
	nodePath   nodeKind = iota // a property: names, and which steps are strict
	nodeString                 // text
	nodeNumber                 // number
	nodeBool                   // flag
	nodeNil
	nodeList   // list
	nodeRange  // list: low, high
	nodeNot    // list: one
	nodeBinary // text is the operator; list: two
	nodeCall   // text is the function; list: arguments
	nodeClosed // list: one, the body of {...}
)

// node is a part of an expression.
type node struct {
	kind     nodeKind
	text     string
	number   int64
	flag     bool
	path     []string
	strict   bool // a step of the path fails when there is nothing before it
	list     []*node
	from, to int
}

// parser reads the tokens of an expression (expr-lang.org, language definition).
type parser struct {
	tokens []token
	at     int
	depth  int
	lets   map[string]*node
}

// parse reads an expression.
func parse(text string) (*node, *exprError) {
	if len(text) > maxBytes {
		return nil, badExpr(0, 1, "An expression may be %d KiB long.", maxBytes>>10)
	}
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens, lets: map[string]*node{}}
	for p.word("let") {
		if err := p.let(); err != nil {
			return nil, err
		}
	}
	n, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	p.symbol(";")
	if t := p.peek(); t.kind != tokenEnd {
		return nil, p.unexpected(t)
	}
	return n, nil
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != tokenEnd {
		p.at++
	}
	return t
}

// symbol takes a symbol if it is next.
func (p *parser) symbol(s string) bool { return p.take(tokenSymbol, s) }

// word takes a word if it is next.
func (p *parser) word(s string) bool { return p.take(tokenWord, s) }

func (p *parser) take(kind tokenKind, s string) bool {
	if t := p.peek(); t.kind != kind || t.text != s {
		return false
	}
	p.at++
	return true
}

func (p *parser) unexpected(t token) *exprError {
	if t.kind == tokenEnd {
		return badExpr(t.from, t.to, "The expression ends too early.")
	}
	if t.kind == tokenSymbol && strings.Contains("?:#|", t.text) {
		return foreignExpr(t.from, t.to, "%q is not converted.", t.text)
	}
	return badExpr(t.from, t.to, "%q cannot stand here.", t.text)
}

func (p *parser) want(s string) *exprError {
	if !p.symbol(s) {
		return p.unexpected(p.peek())
	}
	return nil
}

// let reads let name = value;
func (p *parser) let() *exprError {
	name := p.next()
	if name.kind != tokenWord {
		return p.unexpected(name)
	}
	if err := p.want("="); err != nil {
		return err
	}
	n, err := p.binary(0)
	if err != nil {
		return err
	}
	p.lets[name.text] = n
	return p.want(";")
}

// precedences of the operators that join two operands, loosest first.
var precedences = [][]string{
	{"||", "or"},
	{"&&", "and"},
	{"==", "!=", "<", "<=", ">", ">=", "in", "not", "contains", "startsWith", "endsWith", "matches"},
	{".."},
}

// binary reads operands joined by operators of at least a precedence.
func (p *parser) binary(level int) (*node, *exprError) {
	if level == len(precedences) {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	if err != nil {
		return nil, err
	}
	for joined := 0; ; joined++ {
		op, negated := p.operator(level)
		if op == "" {
			return left, nil
		}
		if level > 1 && joined > 0 {
			return nil, p.unexpected(p.tokens[p.at-1])
		}
		right, err := p.binary(level + 1)
		if err != nil {
			return nil, err
		}
		left = join(op, left, right)
		if negated {
			left = &node{kind: nodeNot, list: []*node{left}, from: left.from, to: left.to}
		}
	}
}

// join makes a node of an operator; and and or take a whole run.
func join(op string, left, right *node) *node {
	n := &node{kind: nodeBinary, text: op, list: []*node{left, right}, from: left.from, to: right.to}
	switch {
	case op == "..":
		n.kind = nodeRange
	case (op == "&&" || op == "||") && left.kind == nodeBinary && left.text == op:
		n.list = append(slices.Clone(left.list), right)
	}
	return n
}

// operator takes an operator of a precedence; negated says that it was not in,
// not contains and so on.
func (p *parser) operator(level int) (op string, negated bool) {
	t := p.peek()
	if t.kind != tokenSymbol && t.kind != tokenWord || !slices.Contains(precedences[level], t.text) {
		return "", false
	}
	p.at++
	if t.text == "not" {
		negated = true
		if t = p.next(); t.kind != tokenWord || !slices.Contains(precedences[level], t.text) {
			p.at -= 2
			return "", false
		}
	}
	switch t.text {
	case "and":
		return "&&", negated
	case "or":
		return "||", negated
	}
	return t.text, negated
}

func (p *parser) unary() (*node, *exprError) {
	if p.depth++; p.depth > maxDepth {
		t := p.peek()
		return nil, badExpr(t.from, t.to, "Expressions may nest %d deep.", maxDepth)
	}
	defer func() { p.depth-- }()
	t := p.peek()
	switch {
	case p.symbol("!") || p.word("not"):
		n, err := p.unary()
		if err != nil {
			return nil, err
		}
		return &node{kind: nodeNot, list: []*node{n}, from: t.from, to: n.to}, nil
	case p.symbol("-"):
		n, err := p.unary()
		if err == nil && n.kind != nodeNumber {
			err = foreignExpr(t.from, n.to, "Arithmetic is not converted.")
		}
		if err != nil {
			return nil, err
		}
		n.number, n.from = -n.number, t.from
		return n, nil
	case p.symbol("("):
		n, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		return p.postfix(n, p.want(")"))
	}
	n, err := p.primary(p.next())
	return p.postfix(n, err)
}

func (p *parser) primary(t token) (*node, *exprError) {
	n := &node{from: t.from, to: t.to}
	switch {
	case t.kind == tokenString:
		n.kind, n.text = nodeString, t.text
	case t.kind == tokenNumber:
		v, err := strconv.ParseInt(t.text, 0, 64)
		if err != nil {
			return nil, foreignExpr(t.from, t.to, "Numbers with a fraction, or of more than 64 bits, are not converted.")
		}
		n.kind, n.number = nodeNumber, v
	case t.kind == tokenWord && (t.text == "true" || t.text == "false"):
		n.kind, n.flag = nodeBool, t.text == "true"
	case t.kind == tokenWord && t.text == "nil":
		n.kind = nodeNil
	case t.kind == tokenWord && p.symbol("("):
		n.kind, n.text = nodeCall, t.text
		return p.list(n, ")")
	case t.kind == tokenWord:
		if v, ok := p.lets[t.text]; ok {
			return v, nil
		}
		n.kind, n.path = nodePath, []string{t.text}
	case t.kind == tokenSymbol && t.text == "[":
		n.kind = nodeList
		return p.list(n, "]")
	case t.kind == tokenSymbol && t.text == "{":
		return p.closed(n)
	case t.kind == tokenSymbol && t.text == "." && p.peek().kind == tokenWord:
		name := p.next() // .name in a closure is a property of the element
		n.kind, n.path, n.to = nodePath, []string{"", name.text}, name.to
	default:
		return nil, p.unexpected(t)
	}
	return n, nil
}

// list reads elements up to a closing bracket.
func (p *parser) list(n *node, end string) (*node, *exprError) {
	for !p.symbol(end) {
		if len(n.list) > 0 {
			if err := p.want(","); err != nil {
				return nil, err
			}
		}
		e, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		n.list = append(n.list, e)
	}
	n.to = p.tokens[p.at-1].to
	return n, nil
}

// closed reads the body of {...}.
func (p *parser) closed(n *node) (*node, *exprError) {
	body, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if err := p.want("}"); err != nil {
		return nil, err
	}
	n.kind, n.list, n.to = nodeClosed, []*node{body}, p.tokens[p.at-1].to
	return n, nil
}

// postfix reads .name, ?.name and ["name"] after an operand.
func (p *parser) postfix(n *node, err *exprError) (*node, *exprError) {
	for err == nil {
		var name token
		strict := true
		switch t := p.peek(); {
		case p.symbol("."):
			name = p.next()
		case p.symbol("?."):
			strict = false
			if p.symbol("[") {
				name = p.next()
				err = p.want("]")
			} else {
				name = p.next()
			}
		case t.kind == tokenSymbol && t.text == "[":
			p.at++
			name = p.next()
			err = p.want("]")
		default:
			return n, nil
		}
		if err == nil && n.kind != nodePath || err == nil && name.kind != tokenWord && name.kind != tokenString {
			return nil, foreignExpr(n.from, name.to, "Only properties of OpenGFW have parts.")
		}
		if err == nil {
			n = &node{kind: nodePath, path: append(slices.Clone(n.path), name.text), strict: n.strict || strict, from: n.from, to: p.tokens[p.at-1].to}
		}
	}
	return nil, err
}
