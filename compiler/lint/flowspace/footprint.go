package flowspace

import "github.com/netpol/netpol/compiler/lint/bdd"

// footprintBits is how many leading bits of a column's class a footprint keeps:
// 64 stretches of its values, so that one word holds the set of them.
const footprintBits = 6

// maxFootprintNodes bounds what one footprint may cost; past it, the footprint
// is that of everything.
const maxFootprintNodes = 4096

// Footprint is what a region leaves of each column when all others are
// forgotten, coarsely: one word for each column, a bit for each stretch of its
// values. Two regions whose footprints are apart in some column have no flow in
// common, which is far cheaper to see than on the regions themselves.
type Footprint []uint64

// Apart says that the footprints show two regions to have nothing in common.
func (f Footprint) Apart(o Footprint) bool {
	for i, w := range f {
		if w&o[i] == 0 {
			return true
		}
	}
	return false
}

// footprints is what Footprint needs to know of the columns.
type footprints struct {
	columns int
	// bit is, for each level that counts, its column and which bit of the
	// stretch it is.
	bit map[int]footprintBit
}

type footprintBit struct {
	column    int
	zero, one uint64 // the stretches where the bit is 0, and 1
}

// Footprint projects a region on the columns. Regions must have gone through
// Possible.
func (s *Space) Footprint(r Region) Footprint {
	if s.feet == nil {
		s.feet = s.newFootprints()
	}
	known := map[bdd.Node]Footprint{bdd.True: s.feet.all(), bdd.False: make(Footprint, s.feet.columns)}
	f, ok := s.footprint(r.node, known)
	if !ok {
		return s.feet.all()
	}
	return f
}

func (s *Space) newFootprints() *footprints {
	f := &footprints{bit: map[int]footprintBit{}}
	for _, c := range s.columns {
		for i, level := range c.levels[:min(len(c.levels), footprintBits)] {
			f.bit[level] = footprintBit{column: f.columns, zero: stretches(i, 0), one: stretches(i, 1)}
		}
		if len(c.levels) > 0 {
			f.columns++
		}
	}
	return f
}

// stretches is the set of the numbers 0..63 whose i-th bit, the most
// significant first, has a value.
func stretches(i, value int) uint64 {
	var out uint64
	for n := range 64 {
		if n>>(footprintBits-1-i)&1 == value {
			out |= 1 << n
		}
	}
	return out
}

func (f *footprints) all() Footprint {
	out := make(Footprint, f.columns)
	for i := range out {
		out[i] = ^uint64(0)
	}
	return out
}

func (s *Space) footprint(n bdd.Node, known map[bdd.Node]Footprint) (Footprint, bool) {
	if f, ok := known[n]; ok {
		return f, true
	}
	if len(known) > maxFootprintNodes {
		return nil, false
	}
	level, low, high := s.b.Children(n)
	x, ok1 := s.footprint(low, known)
	y, ok2 := s.footprint(high, known)
	if !ok1 || !ok2 {
		return nil, false
	}
	out := make(Footprint, s.feet.columns)
	b, counts := s.feet.bit[level]
	for i := range out {
		if counts && i == b.column {
			out[i] = x[i]&b.zero | y[i]&b.one
		} else {
			out[i] = x[i] | y[i]
		}
	}
	known[n] = out
	return out, true
}
