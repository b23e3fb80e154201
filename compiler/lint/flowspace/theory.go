package flowspace

import (
	"maps"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/bdd"
)

// relate says what the attributes owe each other, as far as they occur.
func (s *Space) relate() {
	s.theories = s.known(s.theories, groupNames, s.evidence)
	s.theories = s.known(s.theories, groupTuple, func() bdd.Node { return s.b.And(s.sides(), s.families()) })
	s.theories = s.known(s.theories, groupClock, s.times)
	s.theories = s.known(s.theories, groupTally, s.counts)
	for _, name := range slices.Sorted(maps.Keys(s.texts)) {
		t := s.texts[name]
		s.theories = s.known(s.theories, t.group, func() bdd.Node { return s.spelling(t) })
	}
	s.soft = s.known(s.soft, groupNames, s.lookups)
	s.soft = s.known(s.soft, groupTuple, s.numbered)
	if t := s.texts["hostname"]; t != nil && s.applications != nil {
		s.soft = s.known(s.soft, groupNames|t.group, func() bdd.Node { return s.hosts(t) })
	}
}

// settle finds a place to start samples from.
func (s *Space) settle() {
	s.ofPattern = map[int]bool{}
	for _, t := range s.texts {
		for i := range t.patterns {
			s.ofPattern[t.patterns[i].level] = true
		}
	}
	s.base = make([]bool, s.levels)
	all := Region{bdd.True, ^groups(0)}
	if !s.b.Choose(s.Plausible(all).node, s.base, func(int) bool { return false }) {
		s.b.Choose(s.Possible(all).node, s.base, func(int) bool { return false })
	}
}

const (
	theoryNodes = 1 << 19 // that one theory may take
	theoryWork  = 8 << 20 // steps, about a tenth of a second
)

// known adds a theory to a list, if it has room: without one more places seem
// possible than are, which proves less and nothing that is wrong.
func (s *Space) known(list []theory, g groups, say func() bdd.Node) []theory {
	n := bdd.True
	s.b.Grant(theoryWork)
	ok := s.Keep(theoryNodes, func() { n = say() })
	s.b.Grant(0)
	if !ok || n == bdd.True {
		return list
	}
	return append(list, theory{g, n})
}

// evidence: an application is recognised by something, and what rests on
// address or port is guessed (enforcer/classify).
func (s *Space) evidence() bdd.Node {
	t := s.texts["by"]
	if t == nil {
		return bdd.True
	}
	by := func(values ...string) bdd.Node {
		var list []int
		for _, v := range values {
			if i, ok := t.index[textClass{v, true}]; ok {
				list = append(list, i)
			}
		}
		return s.within(s.columns["by"], intervals(list))
	}
	r := bdd.True
	if s.applications != nil {
		r = s.same(by(""), s.named("application", []string{""}))
	}
	if level, ok := s.flags["detection_guessed"]; ok {
		r = s.b.And(r, s.implies(by("network", "port"), s.b.Var(level)))
	}
	return r
}

func (s *Space) implies(a, b bdd.Node) bdd.Node { return s.b.Or(s.b.Not(a), b) }

func (s *Space) same(a, b bdd.Node) bdd.Node {
	return s.b.And(s.implies(a, b), s.implies(b, a))
}

// sides: the local side opened the flow, and local is source, or it did not,
// and local is destination. The same holds for addresses and ports.
func (s *Space) sides() bdd.Node {
	if s.orientation == 0 {
		return bdd.True
	}
	r := bdd.True
	for _, names := range tuple() {
		r = s.b.And(r, s.turned(names))
	}
	return r
}

// turned ties the two names of each side.
func (s *Space) turned(names [4]string) bdd.Node {
	src, dst, local, other := names[0], names[1], names[2], names[3]
	opened := s.b.Var(s.orientation)
	straight := s.b.And(s.equal(local, src), s.equal(other, dst))
	crossed := s.b.And(s.equal(local, dst), s.equal(other, src))
	return s.b.And(s.implies(opened, straight), s.b.Or(opened, crossed))
}

func (s *Space) equal(a, b string) bdd.Node {
	x, y := s.columns[a], s.columns[b]
	if x == nil || y == nil {
		return bdd.True
	}
	return s.b.Equal(x.levels, y.levels)
}

// families: both addresses of a flow and ip_version are of one family.
func (s *Space) families() bdd.Node {
	four, six := bdd.True, bdd.True
	if s.addresses != nil {
		n := s.addresses.v4()
		for _, name := range tuple()[1] {
			c := s.columns[name]
			if c == nil {
				continue
			}
			is4 := s.within(c, []bdd.Interval{{Low: 0, High: n - 1}})
			four, six = s.b.And(four, is4), s.b.And(six, s.b.Not(is4))
		}
	}
	if c := s.columns["ip_version"]; c != nil {
		is4 := s.within(c, s.numbers["ip_version"].in([]ir.Interval{{Low: 4, High: 4}}))
		four, six = s.b.And(four, is4), s.b.And(six, s.b.Not(is4))
	}
	return s.b.Or(four, six)
}

// maxSpelled bounds the constants times patterns that are tried on each other.
const maxSpelled = 1 << 18

// spelling ties the patterns of a text to its classes: a constant decides every
// pattern, a suffix those that it contains.
func (s *Space) spelling(t *text) bdd.Node {
	if len(t.patterns) == 0 && len(t.prefixes) == 0 || len(t.patterns)*len(t.classes) > maxSpelled {
		return bdd.True
	}
	// Classes that decide alike share one term.
	alike := map[string][]int{}
	terms := map[string]bdd.Node{}
	for i, c := range t.classes {
		key, term := s.spelled(t, c)
		alike[key] = append(alike[key], i)
		terms[key] = term
	}
	r := bdd.False
	for key, classes := range alike {
		r = s.b.Or(r, s.b.And(s.within(s.columns[t.attr.Name], intervals(classes)), terms[key]))
	}
	for i, prefix := range t.prefixes {
		start := s.within(&t.starts, []bdd.Interval{{Low: i + 1, High: i + 1}})
		r = s.b.And(r, s.implies(start, s.containing(t, prefix)))
	}
	for _, p := range t.patterns {
		if p.op == ir.OpContains {
			r = s.b.And(r, s.implies(s.b.Var(p.level), s.containing(t, p.value)))
		}
	}
	return r
}

// spelled is what a class says of the patterns, and a key that is equal for
// classes that say the same.
func (s *Space) spelled(t *text, c textClass) (key string, term bdd.Node) {
	if !c.constant {
		var b strings.Builder
		for _, p := range t.patterns {
			if p.op == ir.OpContains && strings.Contains(c.value, p.value) {
				b.WriteString(p.value + "\x00")
			}
		}
		return "under " + b.String(), s.containing(t, c.value)
	}
	start := t.startOf(c.value)
	term = s.within(&t.starts, []bdd.Interval{{Low: start, High: start}})
	bits := make([]byte, len(t.patterns))
	for i := len(t.patterns) - 1; i >= 0; i-- {
		p := &t.patterns[i]
		v := s.b.Var(p.level)
		bits[i] = '1'
		if p.cased {
			continue
		}
		if !p.holds(c.value) {
			v, bits[i] = s.b.Not(v), '0'
		}
		term = s.b.And(term, v)
	}
	return "is " + string(rune(start)) + string(bits), term
}

// containing is what follows from a text containing a piece.
func (s *Space) containing(t *text, piece string) bdd.Node {
	r := bdd.True
	for _, p := range t.patterns {
		if p.op == ir.OpContains && strings.Contains(piece, p.value) {
			r = s.b.And(r, s.b.Var(p.level))
		}
	}
	return r
}

// Possible is the region without the places that no flow has.
func (s *Space) Possible(r Region) Region {
	for _, t := range s.theories {
		if t.groups&r.groups != 0 {
			r.node = s.b.And(r.node, t.node)
			r.groups |= t.groups
		}
	}
	return r
}

// Plausible is the region without what the enforcer would not come up with as
// it works today. It is for looking for witnesses, not for proofs.
func (s *Space) Plausible(r Region) Region {
	for _, t := range s.soft {
		if t.groups&r.groups != 0 {
			r = Region{s.b.And(r.node, t.node), r.groups | t.groups}
		}
	}
	return s.Possible(r)
}

// Empty says that no flow is in the region.
func (s *Space) Empty(r Region) bool {
	return r.node == bdd.False || s.Possible(r).node == bdd.False
}

// Overlap says that two regions have a place in common. Both must have gone
// through Possible.
func (s *Space) Overlap(a, b Region) bool { return s.b.Overlaps(a.node, b.node) }

// Same says that two regions, both gone through Possible, are the same flows.
func (s *Space) Same(a, b Region) bool { return a.node == b.node }

// Within says that every flow of a is in b.
func (s *Space) Within(a, b Region) bool {
	if s.b.Within(a.node, b.node) {
		return true
	}
	for _, t := range s.theories {
		if t.groups&(a.groups|b.groups) != 0 {
			return s.Empty(s.Diff(a, b))
		}
	}
	return false
}

// Try runs a question with room for that many new nodes, forgets them
// afterwards, and reports whether the answer can be trusted. Questions may nest.
func (s *Space) Try(nodes int, question func()) bool { return s.bounded(nodes, question, true) }

// Keep is Try, but what was made stays unless it did not fit.
func (s *Space) Keep(nodes int, make func()) bool { return s.bounded(nodes, make, false) }

func (s *Space) bounded(nodes int, question func(), forget bool) bool {
	mark, limit, known := s.b.Mark(), s.b.Limit(), len(s.recent)
	s.b.SetLimit(min(limit, mark+nodes))
	question()
	ok := !s.b.Overflowed()
	if forget || !ok {
		s.b.Release(mark)
		for _, e := range s.recent[known:] {
			delete(s.regions, e)
		}
		s.recent = s.recent[:known]
	}
	s.b.SetLimit(limit)
	return ok
}

// Fits says that everything so far had room.
func (s *Space) Fits() bool { return !s.b.Overflowed() }

// Grant allows so many more steps of work, see bdd.Builder.Work. When they are
// used up, nothing fits any more until the next Grant.
func (s *Space) Grant(steps int) { s.b.Grant(steps) }

// Spend counts steps that a caller takes.
func (s *Space) Spend(steps int) { s.b.Spend(steps) }

// Work is how many steps have been taken.
func (s *Space) Work() int { return s.b.Work() }

// Size is the number of nodes of the diagram.
func (s *Space) Size() int { return s.b.Size() }
