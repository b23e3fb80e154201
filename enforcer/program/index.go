package program

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/gaissmai/bart"

	"github.com/netpol/netpol/compiler/artifact"
)

// indexes lead from the values of a flow to the clauses that may hold.
type indexes struct {
	equal    []textIndex
	under    []textIndex
	numbers  []numberIndex
	networks []networkIndex
	always   []int32 // clauses without an access literal
}

// textIndex files clauses under constants of one text attribute.
type textIndex struct {
	attr       attribute
	fold, list bool
	clauses    map[string][]int32
}

// numberIndex files clauses under single numbers and under ranges.
type numberIndex struct {
	attr   attribute
	single map[int][]int32
	wide   intervals
}

// networkIndex files clauses under prefixes: the longest match leads to a
// node, and its parents are all other prefixes that hold the address.
type networkIndex struct {
	attr  attribute
	tree  *bart.Table[int32]
	nodes []networkNode
}

type networkNode struct {
	parent  int32 // -1: none
	clauses []int32
}

// indexBuilder collects what the indexes are made of, by attribute.
type indexBuilder struct {
	tests   []test
	equal   map[attribute]*textIndex
	under   map[attribute]*textIndex
	numbers map[attribute]*numberIndex
	nets    map[attribute]map[netip.Prefix][]int32
	always  []int32
}

func newIndexBuilder(tests []test) *indexBuilder {
	return &indexBuilder{
		tests:   tests,
		equal:   map[attribute]*textIndex{},
		under:   map[attribute]*textIndex{},
		numbers: map[attribute]*numberIndex{},
		nets:    map[attribute]map[netip.Prefix][]int32{},
	}
}

// add files a clause and returns the literals that remain to be tested once
// its index has led to it.
func (b *indexBuilder) add(id int32, c artifact.Clause) ([]artifact.Literal, error) {
	if c.Access == artifact.NoAccess {
		b.always = append(b.always, id)
		return c.If, nil
	}
	if c.Access < 0 || c.Access >= len(c.If) || c.If[c.Access].Negated() {
		return nil, fmt.Errorf("access literal %d of %d: %w", c.Access, len(c.If), errInvalid)
	}
	t := &b.tests[c.If[c.Access].Test()]
	switch t.op {
	case opEqual:
		b.addText(b.equal, t, id)
	case opUnder:
		b.addText(b.under, t, id)
	case opRange:
		b.addNumber(t, id)
	case opNetwork:
		nets := b.nets[t.attr]
		if nets == nil {
			nets = map[netip.Prefix][]int32{}
			b.nets[t.attr] = nets
		}
		for _, n := range t.nets {
			nets[n] = append(nets[n], id)
		}
	case opPrefix, opSuffix, opContains, opMatches, opFlag, opAll, opAny, opCode:
		return nil, fmt.Errorf("access by a test that has no index: %w", errInvalid)
	}
	return slices.Delete(slices.Clone(c.If), c.Access, c.Access+1), nil
}

func (b *indexBuilder) addText(to map[attribute]*textIndex, t *test, id int32) {
	x := to[t.attr]
	if x == nil {
		x = &textIndex{attr: t.attr, fold: t.fold, list: t.list, clauses: map[string][]int32{}}
		to[t.attr] = x
	}
	for _, s := range t.text {
		x.clauses[s] = append(x.clauses[s], id)
	}
}

func (b *indexBuilder) addNumber(t *test, id int32) {
	x := b.numbers[t.attr]
	if x == nil {
		x = &numberIndex{attr: t.attr, single: map[int][]int32{}}
		b.numbers[t.attr] = x
	}
	for _, r := range t.ranges {
		if r.Low == r.High {
			x.single[r.Low] = append(x.single[r.Low], id)
			continue
		}
		x.wide = append(x.wide, interval{low: r.Low, high: r.High, clause: id})
	}
}

// finish orders the indexes by attribute, so that evaluation has one order.
func (b *indexBuilder) finish() indexes {
	x := indexes{always: b.always}
	for a := range attribute(attributeCount) {
		if t := b.equal[a]; t != nil {
			x.equal = append(x.equal, *t)
		}
		if t := b.under[a]; t != nil {
			x.under = append(x.under, *t)
		}
		if n := b.numbers[a]; n != nil {
			n.wide = newIntervals(n.wide)
			x.numbers = append(x.numbers, *n)
		}
		if n := b.nets[a]; n != nil {
			x.networks = append(x.networks, newNetworkIndex(a, n))
		}
	}
	return x
}

// newNetworkIndex links each prefix to the longest other one that covers it.
func newNetworkIndex(a attribute, nets map[netip.Prefix][]int32) networkIndex {
	x := networkIndex{attr: a, tree: new(bart.Table[int32])}
	order := make([]netip.Prefix, 0, len(nets))
	for n := range nets {
		order = append(order, n)
	}
	// Shorter prefixes first: when one is inserted, all that cover it are in.
	slices.SortFunc(order, func(p, q netip.Prefix) int {
		if d := p.Bits() - q.Bits(); d != 0 {
			return d
		}
		return p.Addr().Compare(q.Addr())
	})
	for _, n := range order {
		parent, ok := x.tree.Lookup(n.Addr())
		if !ok {
			parent = -1
		}
		x.tree.Insert(n, int32(len(x.nodes)))
		x.nodes = append(x.nodes, networkNode{parent: parent, clauses: nets[n]})
	}
	return x
}

// search tries every clause that some index leads to, then those that none
// can lead to.
func (x *indexes) search(m *Machine) {
	for i := range x.equal {
		x.equal[i].search(m)
	}
	for i := range x.under {
		x.under[i].searchDomains(m)
	}
	for i := range x.numbers {
		n := &x.numbers[i]
		v := readNumber(m.facts, n.attr)
		m.tryAll(n.single[v])
		n.wide.stab(m, v, 0, len(n.wide))
	}
	for i := range x.networks {
		n := &x.networks[i]
		node, ok := n.tree.Lookup(readAddr(m.facts, n.attr))
		for ok && node >= 0 {
			m.tryAll(n.nodes[node].clauses)
			node = n.nodes[node].parent
		}
	}
	m.tryAll(x.always)
}

func (x *textIndex) search(m *Machine) {
	v := m.text(x.attr, x.fold)
	if !x.list {
		m.tryAll(x.clauses[v])
		return
	}
	for rest, more := v, true; more; {
		v, rest, more = strings.Cut(rest, ",")
		m.tryAll(x.clauses[v])
	}
}

// searchDomains looks up a host name and each domain above it.
func (x *textIndex) searchDomains(m *Machine) {
	name := m.text(x.attr, x.fold)
	for more := name != ""; more; {
		m.tryAll(x.clauses[name])
		_, name, more = strings.Cut(name, ".")
	}
}
