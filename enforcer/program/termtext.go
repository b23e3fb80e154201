package program

import (
	"fmt"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// shownConstants is how many constants of a long list a term's text shows.
const shownConstants = 8

// maxTextDepth bounds how deep a group's text goes; below, it is named only.
const maxTextDepth = 4

// literalText writes a literal as a criterion would say it.
func literalText(p *artifact.Program, l artifact.Literal, depth int) string {
	if l.Test() >= len(p.Tests) {
		return fmt.Sprintf("test %d", l)
	}
	t := &p.Tests[l.Test()]
	switch t.Op {
	case artifact.TestAll:
		return negate(l, groupText(p, t, l, " && ", depth))
	case artifact.TestAny:
		return negate(l, groupText(p, t, l, " || ", depth))
	case artifact.TestCode:
		if t.Code < 0 || t.Code >= len(p.Codes) {
			return fmt.Sprintf("code %d", t.Code)
		}
		return negate(l, "("+p.Codes[t.Code].Source+")")
	case artifact.TestFlag:
		return negate(l, t.Attribute)
	case artifact.TestEqual, artifact.TestRange, artifact.TestNetwork:
		return memberText(t, l.Negated())
	case artifact.TestUnder, artifact.TestPrefix, artifact.TestSuffix, artifact.TestContains, artifact.TestMatches:
		return textTestText(t, l.Negated())
	}
	return string(t.Op)
}

func negate(l artifact.Literal, s string) string {
	if l.Negated() {
		return "not " + s
	}
	return s
}

func groupText(p *artifact.Program, t *artifact.Test, l artifact.Literal, sep string, depth int) string {
	if depth >= maxTextDepth {
		return fmt.Sprintf("(test %d)", l.Test())
	}
	parts := make([]string, 0, len(t.Of))
	for i, member := range t.Of {
		if i == shownConstants {
			parts = append(parts, fmt.Sprintf("%d more", len(t.Of)-i))
			break
		}
		parts = append(parts, literalText(p, member, depth+1))
	}
	return "(" + strings.Join(parts, sep) + ")"
}

// memberText writes tests that ask for a value in a set.
func memberText(t *artifact.Test, negated bool) string {
	list := constants(t)
	if len(list) == 1 && t.Op != artifact.TestNetwork && !strings.Contains(list[0], "..") {
		if negated {
			return t.Attribute + " != " + list[0]
		}
		return t.Attribute + " == " + list[0]
	}
	op := " in "
	if negated {
		op = " not in "
	}
	if len(list) == 1 && t.Op == artifact.TestRange {
		return t.Attribute + op + list[0]
	}
	return t.Attribute + op + bracket(list)
}

// textTestText writes tests that compare parts of a text.
func textTestText(t *artifact.Test, negated bool) string {
	op := string(t.Op)
	switch t.Op {
	case artifact.TestPrefix:
		op = "startsWith"
	case artifact.TestSuffix:
		op = "endsWith"
	default:
	}
	list := constants(t)
	text := bracket(list)
	if len(list) == 1 {
		text = list[0]
	}
	if negated {
		return "not " + t.Attribute + " " + op + " " + text
	}
	return t.Attribute + " " + op + " " + text
}

func bracket(list []string) string {
	if len(list) > shownConstants {
		list = append(list[:shownConstants:shownConstants], fmt.Sprintf("%d more", len(list)-shownConstants))
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// constants writes a test's constants as criteria do.
func constants(t *artifact.Test) []string {
	var out []string
	for _, s := range t.Text {
		out = append(out, "'"+strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s)+"'")
	}
	for _, n := range t.Networks {
		out = append(out, "'"+n.String()+"'")
	}
	a, _ := fact.Lookup(t.Attribute)
	for _, r := range t.Ranges {
		low, high := numberConstant(a, r.Low), numberConstant(a, r.High)
		if r.Low == r.High {
			out = append(out, low)
			continue
		}
		out = append(out, low+".."+high)
	}
	return out
}

// numberConstant writes a number as a criterion would; a cipher suite's name
// stands in quotes there.
func numberConstant(a fact.Attribute, v int) string {
	text := numberText(a, v)
	if strings.HasPrefix(text, "TLS_") {
		return "'" + text + "'"
	}
	return text
}
