package program

import (
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// Blind is what a program can say of a flow of which some attributes have
// values that nobody here knows: an application that was named before this
// process began, an interface of which no packet was seen. A policy that asks
// for one of them may hold or not, so what it writes is left as it is, and so
// is what an earlier policy of that kind may have taken from a later one.
type Blind struct {
	skip   []bool // by policy: it asks for an unknown attribute
	labels labels // neither set nor cleared, unless another policy sets them
	mark   uint32 // likewise
	// Of a claim, and of a mark bit, the first policy decides. Behind one that
	// may hold nothing is certain.
	claims [dimensions]int // first policy whose claim in the dimension is not
	taken  []uint32        // by policy: mark bits that earlier ones may have written
}

// Blind prepares for flows of which the attributes that unknown picks are not
// known. It is nil when no policy asks for one.
func (p *Program) Blind(unknown func(fact.Attribute) bool) *Blind {
	b := &Blind{skip: make([]bool, len(p.effects)), taken: make([]uint32, len(p.effects))}
	asks, some := p.asking(unknown), false
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
	for dim := range b.claims {
		b.claims[dim] = len(p.effects)
	}
	for id := range p.effects {
		b.add(id, &p.effects[id])
	}
	return b
}

// add notes what is not certain because of policy id, or of earlier ones.
func (b *Blind) add(id int, e *effect) {
	b.taken[id] = b.mark
	for dim, c := range e.claims {
		if b.skip[id] && c.made {
			b.claims[dim] = min(b.claims[dim], id)
		}
		if b.claims[dim] <= id {
			b.labels = b.labels.or(c.bits)
		}
	}
	if b.skip[id] {
		b.labels, b.mark = b.labels.or(e.labels), b.mark|e.mask
	}
}

// asking says of each test whether its answer depends on an attribute that
// pick picks.
func (p *Program) asking(pick func(fact.Attribute) bool) []bool {
	out := make([]bool, len(p.tests))
	for i, t := range p.source.Program.Tests {
		switch t.Op {
		case artifact.TestAll, artifact.TestAny:
			out[i] = slices.ContainsFunc(t.Of, func(l artifact.Literal) bool { return out[l.Test()] })
		case artifact.TestCode:
			out[i] = mentions(p.source.Program.Codes[t.Code].Source, pick)
		default:
			a, ok := fact.Lookup(t.Attribute)
			out[i] = ok && pick(a)
		}
	}
	return out
}

// mentions says that the text of a condition may name such an attribute. One
// that only looks as if it did costs a label that is left as it is.
func mentions(source string, pick func(fact.Attribute) bool) bool {
	return slices.ContainsFunc(fact.Attributes, func(a fact.Attribute) bool {
		in := func(name string) bool { return strings.Contains(source, name) }
		return pick(a) && (in(a.Name) || slices.ContainsFunc(a.Aliases, in))
	})
}

// Narrow takes out of a verdict what b is blind to. Nil takes nothing out.
func (m *Machine) Narrow(v *Verdict, b *Blind) {
	if b == nil {
		return
	}
	v.Policies = slices.DeleteFunc(v.Policies, func(id int) bool { return b.skip[id] })
	m.program.mergeBlind(v, b)
}

// Sticky are the label bits that rules of the kernel's set as well: once set
// they stay.
func (p *Program) Sticky() [16]byte { return p.sticky.bytes() }

// Own is all label bits of the bundle and all mark bits that policies write.
func (p *Program) Own() (labels [16]byte, mark uint32) { return p.own.bytes(), p.markMask }
