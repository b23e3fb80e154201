package netify

import (
	"slices"
	"strings"

	"github.com/netpol/netpol/lang/suggest"
)

// comparison reads the operator and value after an attribute, and checks that
// the attribute's class has them.
func (p *parser) comparison(attr attribute, name token) (node, *criteriaError) {
	op := p.next()
	v := p.next()
	n := &compare{attr: attr, op: op.text, value: v, from: name.from, to: v.to}
	if attr.class != classNumber && op.text != "==" && op.text != "!=" {
		return nil, faultAt(op.from, op.to, "%s is compared with == and != only.", attr.name)
	}
	if v.kind == tokenWord {
		if err := p.constant(n); err != nil {
			return nil, err
		}
		return n, nil
	}
	kinds, want := attr.values()
	if !slices.Contains(kinds, v.kind) {
		err := p.unexpected(v, attr.name+" is compared with "+want)
		err.hint = valueHint(attr, v)
		return nil, err
	}
	return n, nil
}

// values are the kinds of value that an attribute is compared with, and the
// words for them.
func (a attribute) values() ([]tokenKind, string) {
	switch a.class {
	case classNumber, classEqual:
		return []tokenKind{tokenNumber}, "a number"
	case classFlag:
		return []tokenKind{tokenBool}, "true or false"
	case className:
		return []tokenKind{tokenString, tokenNumber}, "a name in quotes, or a number"
	case classString:
		if strings.HasSuffix(a.name, "_id") {
			return []tokenKind{tokenString, tokenNumber}, "a number"
		}
		return []tokenKind{tokenString}, "a name in quotes"
	case classBare:
		return []tokenKind{tokenString}, "a name in quotes"
	case classPattern:
		return []tokenKind{tokenString, tokenRegex}, "text in quotes, or 'rx:...'"
	case classAddress:
		return []tokenKind{tokenAddress, tokenGroup}, "an address without quotes"
	case classMAC:
		return []tokenKind{tokenMAC, tokenGroup}, "a MAC address without quotes"
	case classConst, classTunnel:
		return nil, "one of " + strings.Join(a.constants, ", ")
	}
	return nil, "nothing"
}

// constant checks a word on the right of an operator.
func (p *parser) constant(n *compare) *criteriaError {
	v := n.value
	if slices.Contains(n.attr.constants, v.text) {
		return nil
	}
	if is, ok := spellings[v.text]; ok && slices.Contains(n.attr.constants, is) {
		p.out.found = append(p.out.found, found{v.from, v.to, v.text, is})
		n.value.text = is
		return nil
	}
	_, want := n.attr.values()
	err := p.unexpected(v, n.attr.name+" is compared with "+want)
	if err.hint = suggest.Hint(v.text, n.attr.constants); err.hint == "" {
		err.hint = valueHint(n.attr, v)
	}
	return err
}

// valueHint knows the slips that people make with values.
func valueHint(a attribute, v token) string {
	switch {
	case v.kind == tokenString && (a.class == classAddress || a.class == classMAC || a.class == classNumber || a.class == classEqual):
		return "leave the quotes out: " + v.text
	case v.kind == tokenString && a.class == classFlag:
		return "write true or false without quotes"
	case v.kind == tokenRegex:
		return "regular expressions work on host names, interfaces and the like"
	case v.kind == tokenWord && (a.class == className || a.class == classString || a.class == classBare || a.class == classPattern):
		return "text stands in single quotes: '" + v.text + "'"
	}
	return ""
}
