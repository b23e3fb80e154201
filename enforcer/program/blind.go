package program

import (
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// Blind is what a program can say without one of its attributes: which policies
// ask for it, and what those write.
type Blind struct {
	skip   []bool // by policy
	labels labels
	mark   uint32
}

// Blind prepares for flows of which an attribute is not known although it has
// a value. It is nil when no policy asks for it.
func (p *Program) Blind(attribute string) *Blind {
	asks := p.asking(attribute)
	b := &Blind{skip: make([]bool, len(p.effects))}
	some := false
	for _, c := range p.source.Program.Clauses {
		for _, l := range c.If {
			if asks[l.Test()] {
				b.skip[c.Policy], some = true, true
			}
		}
	}
	if !some {
		return nil
	}
	for id, skip := range b.skip {
		if !skip {
			continue
		}
		e := &p.effects[id]
		b.labels, b.mark = b.labels.or(e.labels), b.mark|e.mask
		for _, c := range e.claims {
			b.labels = b.labels.or(c.bits)
		}
	}
	return b
}

// asking says of each test whether its answer depends on an attribute.
func (p *Program) asking(attribute string) []bool {
	out := make([]bool, len(p.tests))
	a, _ := fact.Lookup(attribute)
	for i, t := range p.source.Program.Tests {
		switch t.Op {
		case artifact.TestAll, artifact.TestAny:
			out[i] = slices.ContainsFunc(t.Of, func(l artifact.Literal) bool { return out[l.Test()] })
		case artifact.TestCode:
			// Bytecode names the fields that it reads; a source that only looks as
			// if it named one costs a label that is left as it is.
			out[i] = strings.Contains(p.source.Program.Codes[t.Code].Source, a.Name)
		default:
			out[i] = t.Attribute == a.Name
		}
	}
	return out
}

// Narrow takes out of a verdict what depends on the attribute that b is blind
// to: labels and mark bits of the policies that ask for it are neither set nor
// cleared, unless another policy sets them. Nil takes nothing out.
func (m *Machine) Narrow(v *Verdict, b *Blind) {
	if b == nil {
		return
	}
	v.Policies = slices.DeleteFunc(v.Policies, func(id int) bool { return b.skip[id] })
	set, taken := m.program.merge(v)
	v.LabelMask = m.program.own.without(m.program.sticky.or(b.labels).without(set)).bytes()
	v.MarkMask &^= b.mark &^ taken
}

// Sticky are the label bits that rules of the kernel's set as well: once set
// they stay.
func (p *Program) Sticky() [16]byte { return p.sticky.bytes() }

// Own is all label bits of the bundle and all mark bits that policies write.
func (p *Program) Own() (labels [16]byte, mark uint32) { return p.own.bytes(), p.markMask }
