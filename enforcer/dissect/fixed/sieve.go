package fixed

import "math/bits"

const (
	// maxRows bounds the rows of a table. A set of as many is copied and joined in a few
	// nanoseconds.
	maxRows = 640
	// sieved is how many of the first bytes a sieve looks at.
	sieved = 6
)

// rowSet is a set of rows, by their place in the table.
type rowSet [maxRows / 64]uint64

func (s *rowSet) add(i int) { s[i/64] |= 1 << (i % 64) }

// keep takes out what o has not.
func (s *rowSet) keep(o *rowSet) {
	for k := range s {
		s[k] &= o[k]
	}
}

// next is the first row of the set from i on, or maxRows.
func (s *rowSet) next(i int) int {
	for word := i / 64; word < len(s); word++ {
		rest := s[word]
		if word == i/64 {
			rest &= ^uint64(0) << (i % 64)
		}
		if rest != 0 {
			return word*64 + bits.TrailingZeros64(rest)
		}
	}
	return maxRows
}

// sieve rules rows out by the first bytes, all rows at once: what each value of a byte
// leaves is a set of rows, and those of several bytes are joined. One row after the other,
// of those that the first byte left, a stream took 195 ns instead of 84
// (BenchmarkNoMatch/tcp, pairs in turn, 2026-11).
type sieve struct {
	first  *[256]rowSet               // by the first byte, what its tests say
	halves *[sieved - 1][2][16]rowSet // by the bytes after it, each half: their fixed bits
}

func newSieve(rows int) sieve {
	if rows > maxRows {
		panic("fixed: more rows than a set holds")
	}
	s := sieve{first: new([256]rowSet), halves: new([sieved - 1][2][16]rowSet)}
	for at := range s.halves {
		for half := range s.halves[at] {
			for v := range s.halves[at][half] {
				for i := range s.halves[at][half][v] {
					s.halves[at][half][v][i] = ^uint64(0)
				}
			}
		}
	}
	return s
}

// add has row i ruled out wherever its tests are sure to fail, and gives what they say of
// bytes farther on.
func (s *sieve) add(i int, tests []test) filter {
	firstBytes(tests, func(c byte) { s.first[c].add(i) })
	f, mask, want := newFilter(tests)
	for at := range s.halves {
		for half, shift := range [2]int{4, 0} {
			m, w := mask[at+1]>>shift&0xf, want[at+1]>>shift&0xf
			for v := range s.halves[at][half] {
				if byte(v)&m != w {
					s.halves[at][half][v][i/64] &^= 1 << (i % 64)
				}
			}
		}
	}
	return f
}

// leave sets rows to those that b, which has a byte, does not rule out.
func (s *sieve) leave(b []byte, rows *rowSet) {
	*rows = s.first[b[0]]
	b = b[1:min(len(b), sieved)]
	for at, c := range b {
		high, low := &s.halves[at][0][c>>4], &s.halves[at][1][c&0xf]
		for k := range rows {
			rows[k] &= high[k] & low[k]
		}
	}
}
