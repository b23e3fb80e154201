package program

import (
	"fmt"
	"strconv"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// Explanation says of one policy why it holds, or why not.
type Explanation struct {
	Policy  int // id
	Matched bool
	Terms   []Term
}

// Term is one test that the policy depends on, as it came out.
type Term struct {
	Text  string // the term, with its attribute, operator and constants: "application == 'zoom'"
	Value string // the attribute's value; empty when not known or when the term has no one attribute
	Holds bool
}

// Explain answers for every policy, in order. It is for people and allocates
// freely; each clause is tried without the indexes, so it also checks them.
func (m *Machine) Explain(f *fact.Facts) []Explanation {
	m.begin(f)
	p := m.program
	out := make([]Explanation, len(p.effects))
	seen := make([]map[artifact.Literal]bool, len(out))
	for i := range out {
		out[i].Policy = i
		seen[i] = map[artifact.Literal]bool{}
	}
	for _, c := range p.source.Program.Clauses {
		e := &out[c.Policy]
		all := true
		for _, l := range c.If {
			m.explain(l, e, seen[c.Policy])
			all = m.holds(l) && all
		}
		e.Matched = e.Matched || all
	}
	m.facts = nil
	return out
}

// explain adds the terms of one literal; the members of a group are terms of
// their own, as the author wrote them.
func (m *Machine) explain(l artifact.Literal, e *Explanation, seen map[artifact.Literal]bool) {
	if seen[l] {
		return
	}
	seen[l] = true
	t := &m.program.tests[l.Test()]
	if t.op == opAll || t.op == opAny {
		for _, member := range t.of {
			m.explain(member, e, seen)
		}
		return
	}
	e.Terms = append(e.Terms, Term{
		Text:  literalText(&m.program.source.Program, l, 0),
		Value: m.value(t),
		Holds: m.holds(l),
	})
}

// value is the text of the attribute that a test asks about.
func (m *Machine) value(t *test) string {
	if t.op == opCode {
		return strconv.FormatBool(m.run(t.code))
	}
	return m.word(t.attr)
}

// word is the text of an attribute.
func (m *Machine) word(at attribute) string {
	a := fact.Attributes[at]
	switch kindOf(a.Type) {
	case kindText:
		return readText(m.facts, at)
	case kindNumber:
		return numberText(a, readNumber(m.facts, at))
	case kindAddr:
		if v := readAddr(m.facts, at); v.IsValid() {
			return v.String()
		}
		return ""
	case kindFlag:
		return strconv.FormatBool(readFlag(m.facts, at))
	}
	return ""
}

// numberText writes a TLS version and cipher suite as criteria do, every other
// number plainly.
func numberText(a fact.Attribute, v int) string {
	if a.Name == "tls_cipher" && v != 0 {
		return fact.CipherName(v)
	}
	if a.Type == fact.TLSVersion {
		// RFC 8446, section 4.1.2: 0x0301 is TLS 1.0, 0x0304 is TLS 1.3.
		if v == 0 {
			return ""
		}
		if v >= 0x0301 && v <= 0x0304 {
			return fmt.Sprintf("1.%d", v-0x0301)
		}
		return fmt.Sprintf("%#04x", v)
	}
	return strconv.Itoa(v)
}
