package resolve

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/lang/suggest"
)

// textAtom resolves a string attribute against strings.
func (k *criterion) textAtom(a atom, constants []constant) (ir.Expr, bool) {
	if _, isList := a.right.(*ast.ArrayNode); a.op == "in" && !isList && constants[0].kind == stringConstant && !isGroup(a, constants[0]) {
		k.fault(diag.WrongOperator, k.spanOf(a.right), "A list stands after in.").Hint = "write " + a.name + " in [" + k.slice(k.spanOf(a.right)) + "]"
		return nil, false
	}
	for _, c := range constants {
		if c.kind == numberConstant && isTag(a.attr.Type) {
			k.fault(diag.WrongConstant, c.span, "Write the name of the %s in single quotes. Netify's numbers are not known here, and an update of its signatures may give a number to another.", a.attr.Type)
			return nil, false
		}
		if c.kind != stringConstant {
			k.fault(diag.WrongConstant, c.span, "%s is %s and cannot be compared with a %s. Text stands in single quotes.", a.name, withArticle(a.attr.Type), c.kind)
			return nil, false
		}
	}
	switch a.op {
	case "==", "!=", "in":
		return k.equalAtom(a, constants)
	}
	return k.patternAtom(a, constants[0])
}

// isGroup reports a reference to a group, which is a list.
func isGroup(a atom, c constant) bool {
	return (a.attr.Type == fact.ApplicationName || a.attr.Type == fact.MAC) && strings.HasPrefix(c.text, "@")
}

// equalAtom resolves ==, != and in; != is negated by the caller.
func (k *criterion) equalAtom(a atom, constants []constant) (ir.Expr, bool) {
	var list []string
	ok := true
	for _, c := range constants {
		some, good := k.values(a, c)
		ok = ok && good
		list = append(list, some...)
	}
	switch {
	case !ok:
		return nil, false
	case len(list) == 0: // only empty groups
		k.warnConstant(a.span, a.op == "!=")
		return &ir.Const{Value: false, Range: k.at(a.span)}, true
	}
	return k.strings(a.attr, ir.OpEqual, list, a.span), true
}

// value checks one string that an attribute is compared with. The empty string
// stands for "not known" and is always allowed.
func (k *criterion) value(a atom, c constant) (string, bool) {
	if c.text == "" {
		return "", true
	}
	if v, closed := k.r.names.vocabulary(a.attr.Type); closed {
		tag, fault := k.r.names.tag(v, c.text, &k.r.hints)
		if fault != nil {
			fault.Subject = k.at(c.span)
			k.r.addUnknown(*fault)
			return "", false
		}
		return tag, true
	}
	switch {
	case a.attr.Type == fact.MAC || a.attr.Values != nil || a.attr.IsDigest():
		return k.word(a, c)
	case a.attr.Type == fact.Hostname:
		if rest, ok := strings.CutPrefix(c.text, "*."); ok {
			k.fault(diag.InvalidDomain, c.span, "== compares whole names, and no host name holds a *.").Hint = "write domain(" + a.name + ", '" + rest + "')"
			return "", false
		}
		return k.domainName(c)
	case !ir.FoldsCase(a.attr):
		return c.text, k.checkInterface(c)
	}
	return strings.ToLower(c.text), true
}

// word checks a constant of an attribute with a form or values of its own.
func (k *criterion) word(a atom, c constant) (string, bool) {
	v, ok := a.attr.Canonical(c.text)
	if ok {
		return v, true
	}
	if a.attr.Type == fact.MAC {
		k.fault(diag.InvalidMAC, c.span, "A MAC address is six bytes in hexadecimal digits, such as '02:00:5e:10:00:01'.")
		return "", false
	}
	if a.attr.IsDigest() {
		k.fault(diag.WrongConstant, c.span, "%s is 40 hexadecimal digits; startsWith compares with fewer.", a.name)
		return "", false
	}
	k.fault(diag.UnknownWord, c.span, "%s is never '%s'; its values are %s.", a.name, c.text, strings.Join(a.attr.Values, ", ")).
		Hint = suggest.Hint(strings.ToLower(c.text), a.attr.Values)
	return "", false
}

// checkInterface reports names that the kernel gives to no interface
// (dev_valid_name in net/core/dev.c; IFNAMSIZ is 16 with the final zero).
func (k *criterion) checkInterface(c constant) bool {
	if badInterface(c.text) {
		k.fault(diag.InvalidInterface, c.span, interfaceRule)
		return false
	}
	return true
}

const interfaceRule = "An interface's name is at most 15 bytes long and holds no slash, colon or space."

func badInterface(s string) bool {
	return len(s) > 15 || s == "." || s == ".." || strings.ContainsAny(s, "/: \t\r\n\v\f")
}

// patternAtom resolves contains, startsWith, endsWith and matches. Over a closed
// vocabulary the answer is known now and becomes a list of names.
func (k *criterion) patternAtom(a atom, c constant) (ir.Expr, bool) {
	if c.text == "" {
		k.warnConstant(a.span, true)
		return &ir.Const{Value: true, Range: k.at(a.span)}, true
	}
	op, ok := k.pattern(a, c)
	if !ok {
		return nil, false
	}
	v, closed := k.r.names.vocabulary(a.attr.Type)
	if !closed {
		text := c.text
		switch {
		case op == ir.OpMatches && ir.FoldsCase(a.attr):
			text = "(?i)" + text
		case ir.FoldsCase(a.attr):
			text = strings.ToLower(text)
		}
		return k.strings(a.attr, op, []string{text}, a.span), true
	}
	list, ok := k.matchTags(a, op, v.tags, c)
	if !ok {
		return nil, false
	}
	if len(list) == 0 {
		k.fault(v.code, c.span, "No %s of the catalogue %s '%s', so this could never match.", v.noun, a.op, c.text)
		return nil, false
	}
	return k.strings(a.attr, ir.OpEqual, list, a.span), true
}

// matchTags lists the tags that a pattern holds for.
func (k *criterion) matchTags(a atom, op ir.Op, tags []string, c constant) ([]string, bool) {
	lower := strings.ToLower(c.text)
	holds := func(s string) bool { return strings.Contains(s, lower) }
	switch op {
	case ir.OpStartsWith:
		holds = func(s string) bool { return strings.HasPrefix(s, lower) }
	case ir.OpEndsWith:
		holds = func(s string) bool { return strings.HasSuffix(s, lower) }
	case ir.OpMatches:
		if !k.spend(len(tags), a.span) {
			return nil, false
		}
		holds = regexp.MustCompile("(?i)" + c.text).MatchString // pattern has parsed it
	default: // pattern gives contains and these three
	}
	var list []string
	for _, tag := range tags {
		if holds(tag) {
			list = append(list, tag)
		}
	}
	return list, k.spend(len(list), a.span)
}

// pattern is the operation of a pattern operator.
func (k *criterion) pattern(a atom, c constant) (ir.Op, bool) {
	switch a.op {
	case "contains":
		return ir.OpContains, true
	case "startsWith":
		return ir.OpStartsWith, true
	case "endsWith":
		return ir.OpEndsWith, true
	}
	// Parsed as written, so that the message does not show our prefix.
	re, err := syntax.Parse(c.text, syntax.Perl)
	if err != nil {
		why := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		k.fault(diag.InvalidRegex, c.span, "The regular expression cannot be read: %s. The syntax is RE2's, without look-around and back-references.", why)
		return 0, false
	}
	if !k.spendPattern(re, c.span) {
		return 0, false
	}
	if _, err := syntax.Parse("(?i)"+c.text, syntax.Perl); err != nil {
		k.fault(diag.InvalidRegex, c.span, "The regular expression is too large when case is ignored. Write a shorter one.")
		return 0, false
	}
	return ir.OpMatches, true
}

// strings makes a comparison with a set of strings.
func (k *criterion) strings(a fact.Attribute, op ir.Op, list []string, s span) ir.Expr {
	slices.Sort(list)
	return &ir.Compare{Attr: a, Op: op, Strings: slices.Compact(list), Range: k.at(s), Text: k.slice(s)}
}
