package program

import (
	"slices"

	"github.com/netpol/netpol/lang/fact"
)

// Asks are the attributes that a policy's conditions ask for, by their places in
// fact.Attributes. It is for loading: it looks at every clause.
func (p *Program) Asks(policy int) []int {
	var out []int
	for i, a := range fact.Attributes {
		asks := p.asking(func(b fact.Attribute) bool { return b.Name == a.Name })
		for _, c := range p.source.Program.Clauses {
			if c.Policy != policy {
				continue
			}
			for _, l := range c.If {
				if asks[l.Test()] && !slices.Contains(out, i) {
					out = append(out, i)
				}
			}
		}
	}
	return out
}

// Text is what a flow has of an attribute, by its place in fact.Attributes, as
// Explain words it; empty where it is not known.
func (m *Machine) Text(f *fact.Facts, place int) string {
	m.facts = f
	defer func() { m.facts = nil }()
	return m.word(attribute(place))
}
