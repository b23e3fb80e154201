package program

import (
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// Foresight asks whether some policies could still match a flow of which not
// everything is known yet.
type Foresight struct {
	clauses []artifact.Clause
	unknown []bool // by test: its answer may yet change
}

// Foresee prepares to ask about the policies that pick picks, while the attributes
// that unknown picks may yet have any value. It is nil where pick picks none.
func (p *Program) Foresee(pick func(policy int) bool, unknown func(fact.Attribute) bool) *Foresight {
	s := &Foresight{}
	for _, c := range p.source.Program.Clauses {
		if pick(c.Policy) {
			s.clauses = append(s.clauses, c)
		}
	}
	if len(s.clauses) == 0 {
		return nil
	}
	s.unknown = p.asking(unknown)
	return s
}

// Possible reports whether one of the policies holds for f, or could once what is
// unknown is known. It ends the validity of the machine's last verdict.
func (m *Machine) Possible(f *fact.Facts, s *Foresight) bool {
	m.begin(f)
	defer func() { m.facts = nil }()
	for i := range s.clauses {
		if m.couldAll(s.clauses[i].If, s) {
			return true
		}
	}
	return false
}

func (m *Machine) couldAll(list []artifact.Literal, s *Foresight) bool {
	for _, l := range list {
		if !m.could(l, s) {
			return false
		}
	}
	return true
}

func (m *Machine) couldAny(list []artifact.Literal, s *Foresight) bool {
	for _, l := range list {
		if m.could(l, s) {
			return true
		}
	}
	return false
}

// could says that a literal holds, or may yet. Of a group it asks the members, each
// by itself: two that exclude each other count as possible both.
func (m *Machine) could(l artifact.Literal, s *Foresight) bool {
	t := &m.program.tests[l.Test()]
	switch {
	case !s.unknown[l.Test()]:
		return m.holds(l)
	case t.op == opAll && !l.Negated():
		return m.couldAll(t.of, s)
	case t.op == opAny && !l.Negated():
		return m.couldAny(t.of, s)
	case t.op == opAll: // one member fails
		return m.couldAny(negated(t.of), s)
	case t.op == opAny:
		return m.couldAll(negated(t.of), s)
	}
	return true
}

func negated(list []artifact.Literal) []artifact.Literal {
	out := make([]artifact.Literal, len(list))
	for i, l := range list {
		out[i] = ^l
	}
	return out
}
