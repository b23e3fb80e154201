package flowspace

import (
	"maps"
	"math/bits"
	"slices"

	"github.com/netpol/netpol/compiler/lint/bdd"
	"github.com/netpol/netpol/lang/fact"
)

// allot cuts the values into classes and gives each column its variables: names
// first, because most policies ask for them, addresses last.
func (s *Space) allot() {
	if s.applications != nil {
		s.number(s.columns["application"], len(s.applications.tags))
	}
	if s.protocols != nil {
		s.number(s.columns["protocol"], len(s.protocols.tags))
	}
	for _, name := range slices.Sorted(maps.Keys(s.texts)) {
		t := s.texts[name]
		t.build()
		s.number(s.columns[name], len(t.classes))
		s.number(&t.starts, len(t.prefixes)+1)
		for i := range t.patterns {
			t.patterns[i].level = s.flag(name + " " + t.patterns[i].key())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.numbers)) {
		s.numbers[name].build()
		s.number(s.columns[name], len(s.numbers[name].classes))
	}
	if c := s.columns["weekday"]; c != nil {
		s.number(c, len(fact.Weekdays()))
	}
	s.allotTallies()
	s.allotTuple()
}

// allotTuple gives ports and addresses their variables, bit by bit in turn.
func (s *Space) allotTuple() {
	kinds := tuple()
	if s.ports != nil {
		s.ports.build()
		s.orient(kinds[0])
	}
	if s.addresses != nil {
		s.addresses.build()
		s.orient(kinds[1])
	}
	if s.ports != nil {
		s.interleave(kinds[0][:], len(s.ports.classes))
	}
	if s.addresses != nil {
		s.interleave(kinds[1][:], len(s.addresses.starts))
	}
}

// orient makes the variable that ties local and other to source and
// destination, if both ways of speaking occur.
func (s *Space) orient(names [4]string) {
	ends := s.columns[names[0]] != nil || s.columns[names[1]] != nil
	sides := s.columns[names[2]] != nil || s.columns[names[3]] != nil
	if ends && sides && s.orientation == 0 {
		s.orientation = s.levels
		s.levels++
	}
}

func (s *Space) number(c *column, count int) {
	c.count = count
	for range width(count) {
		c.levels = append(c.levels, s.levels)
		s.levels++
	}
}

func (s *Space) interleave(names []string, count int) {
	for range width(count) {
		for _, name := range names {
			if c := s.columns[name]; c != nil {
				c.count = count
				c.levels = append(c.levels, s.levels)
				s.levels++
			}
		}
	}
	for _, name := range names {
		if c := s.columns[name]; c != nil {
			c.count = count
		}
	}
}

// width is how many bits the numbers 0..count-1 take.
func width(count int) int { return bits.Len(uint(max(count, 1) - 1)) }

// within is the flows whose class is in sorted, disjoint intervals. The codes
// past the last class are other names of the last.
func (s *Space) within(c *column, in []bdd.Interval) bdd.Node {
	if n := len(in); n > 0 && in[n-1].High >= c.count-1 {
		in = slices.Clone(in)
		in[n-1].High = 1<<len(c.levels) - 1
	}
	return s.b.Numbers(c.levels, in)
}

// class reads a column from the values of the variables.
func (c *column) class(values []bool) int {
	code := 0
	for _, l := range c.levels {
		code <<= 1
		if values[l] {
			code |= 1
		}
	}
	return min(code, max(c.count, 1)-1)
}

// intervals joins class numbers to intervals.
func intervals(list []int) []bdd.Interval {
	slices.Sort(list)
	var out []bdd.Interval
	for _, n := range list {
		if k := len(out); k > 0 && n <= out[k-1].High+1 {
			out[k-1].High = n
			continue
		}
		out = append(out, bdd.Interval{Low: n, High: n})
	}
	return out
}
