package fixed

import "math/bits"

// maxEvery bounds the rows of a sieve that do not mind the first byte.
const maxEvery = 64

// sieve rules rows out by their first bytes. It is made to touch little memory: an opening
// is looked at once among thousands of packets, when nothing of this is in a cache.
type sieve struct {
	begin  [257]uint16 // where the rows of a first byte begin in listed
	listed []filter    // of the rows that want some values of the first byte, by those
	every  []filter    // of those that do not mind it
	probes []probe     // what leaves some of every
	loose  uint64      // rows of every that no probe knows
}

// probe is one byte that tells rows apart.
type probe struct {
	offset int
	all    uint64      // the rows that it knows
	left   [256]uint64 // those that each value of the byte leaves
}

// newSieve makes a sieve of the rows of a table that need no port.
func newSieve(rows []row) (s sieve) {
	var by [256][]filter
	var bytes []fixedBytes // of the rows of every
	for i := range rows {
		if len(rows[i].ports) > 0 {
			continue
		}
		var fixed fixedBytes
		f := newFilter(rows[i].first, &fixed)
		f.row = uint16(i)
		var first []byte
		firstBytes(rows[i].first, func(c byte) { first = append(first, c) })
		if len(first) > 128 {
			s.every = append(s.every, f)
			bytes = append(bytes, fixed)
			continue
		}
		for _, c := range first {
			by[c] = append(by[c], f)
		}
	}
	for c := range by {
		s.listed = append(s.listed, by[c]...)
		s.begin[c+1] = uint16(len(s.listed))
	}
	s.probe(bytes)
	return s
}

// probe finds a few bytes that together tell most rows of every apart, the one that says something of
// most of them first. For one row alone its filter does.
func (s *sieve) probe(rows []fixedBytes) {
	if len(rows) > maxEvery {
		panic("fixed: more rows without a first byte than a word has bits")
	}
	s.loose = 1<<len(rows) - 1
	for s.loose != 0 {
		best, p := 0, probe{}
		for at := range filterWindow {
			worth, known := 0, uint64(0)
			for i := range rows {
				if w := rows[i].worth(at); w > 0 && s.loose>>i&1 != 0 {
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
		for i := range rows {
			for v := range p.left {
				if p.all>>i&1 != 0 && byte(v)&rows[i].mask[p.offset] == rows[i].want[p.offset] {
					p.left[v] |= 1 << i
				}
			}
		}
		s.probes = append(s.probes, p)
		s.loose &^= p.all
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

// left is how far the rows that some bytes leave have been gone through.
type left struct {
	listed []filter
	every  uint64
}

// leave begins to go through the rows that h, which has a byte, leaves.
func (s *sieve) leave(h *head) (l left) {
	first := int(h.bytes[0])
	l.listed, l.every = s.listed[s.begin[first]:s.begin[first+1]], s.loose
	for i := range s.probes {
		p := &s.probes[i]
		if p.offset < h.size {
			l.every |= p.left[h.bytes[p.offset]]
		} else {
			l.every |= p.all
		}
	}
	return l
}

// next is a row that h leaves, by its place in the table. They come in no order.
func (s *sieve) next(h *head, stream bool, l *left) (i int, ok bool) {
	for len(l.listed) > 0 {
		f := &l.listed[0]
		l.listed = l.listed[1:]
		if !f.excludes(h, stream) {
			return int(f.row), true
		}
	}
	for l.every != 0 {
		f := &s.every[bits.TrailingZeros64(l.every)]
		l.every &= l.every - 1
		if !f.excludes(h, stream) {
			return int(f.row), true
		}
	}
	return 0, false
}
