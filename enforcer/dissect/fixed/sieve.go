package fixed

import "math/bits"

const (
	// maxGroup bounds the rows that are told apart together: those that do not mind the first
	// byte, and those that want one value of it.
	maxGroup = 64
	// maxListed is how many rows of a first byte are tried one after the other.
	maxListed = 12
)

// sieve rules rows out by their first bytes. It is made to touch little memory: an opening
// is looked at once among thousands of packets, when nothing of this is in a cache.
type sieve struct {
	of    [256]group // of the rows that want some values of the first byte, by those
	every group      // of those that do not mind it
}

// group is some rows and the few bytes that tell them apart.
type group struct {
	filters []filter
	probes  []probe
	loose   uint64 // rows that no probe knows
}

// probe is one byte that tells rows apart.
type probe struct {
	offset int
	all    uint64       // the rows that it knows
	left   *[256]uint64 // those that each value of the byte leaves
}

// newSieve makes a sieve of the rows of a table that need no port.
func newSieve(rows []row) (s sieve) {
	fixed := make([]fixedBytes, len(rows))
	for i := range rows {
		if len(rows[i].ports) > 0 {
			continue
		}
		f := newFilter(rows[i].first, &fixed[i])
		f.row = uint16(i)
		var first []byte
		firstBytes(rows[i].first, func(c byte) { first = append(first, c) })
		if len(first) > 128 {
			s.every.filters = append(s.every.filters, f)
			continue
		}
		for _, c := range first {
			s.of[c].filters = append(s.of[c].filters, f)
		}
	}
	for c := range s.of {
		s.of[c].probe(fixed, maxListed)
	}
	s.every.probe(fixed, 1)
	return s
}

// probe finds a few bytes that together tell most rows of a group apart, the one that says something of
// most of them first, if there are more than few. For one row alone its filter does.
func (g *group) probe(fixed []fixedBytes, few int) {
	if len(g.filters) > maxGroup {
		panic("fixed: more rows with one first byte than a word has bits")
	}
	g.loose = 1<<len(g.filters) - 1
	for bits.OnesCount64(g.loose) > few {
		best, p := 0, probe{}
		for at := range filterWindow {
			worth, known := 0, uint64(0)
			for i := range g.filters {
				if w := fixed[g.filters[i].row].worth(at); w > 0 && g.loose>>i&1 != 0 {
					worth += w
					known |= 1 << i
				}
			}
			if worth > best && bits.OnesCount64(known) > 1 {
				best, p.offset, p.all = worth, at, known
			}
		}
		if best == 0 {
			return
		}
		p.left = new([256]uint64)
		for i := range g.filters {
			b := &fixed[g.filters[i].row]
			for v := range p.left {
				if p.all>>i&1 != 0 && byte(v)&b.mask[p.offset] == b.want[p.offset] {
					p.left[v] |= 1 << i
				}
			}
		}
		g.probes = append(g.probes, p)
		g.loose &^= p.all
	}
}

// worth is what a byte says of a row, as a number to compare; 0 for too little. Zeros stand everywhere.
func (b *fixedBytes) worth(at int) int {
	n := bits.OnesCount8(b.mask[at])
	switch {
	case n < 6:
		return 0
	case b.want[at] == 0:
		return n
	}
	return 2 * n
}

// leave is the rows of a group that h leaves.
func (g *group) leave(h *head) uint64 {
	rows := g.loose
	for i := range g.probes {
		p := &g.probes[i]
		if p.offset < h.size {
			rows |= p.left[h.bytes[p.offset]]
		} else {
			rows |= p.all
		}
	}
	return rows
}

// try tries the rows below best, places in the table, that h leaves and their filters
// do not exclude. It returns the new best.
func (g *group) try(h *head, stream bool, best int, holds func(i int) bool) int {
	for rows := g.leave(h); rows != 0; rows &= rows - 1 {
		f := &g.filters[bits.TrailingZeros64(rows)]
		if i := int(f.row); i >= best {
			return best // they stand in order
		} else if !f.excludes(h, stream) && holds(i) {
			best = i
		}
	}
	return best
}
