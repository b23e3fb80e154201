package fixed

import "math/bits"

const (
	// maxRows bounds the rows of a sieve. What a first byte leaves of them stands in few of a
	// set's words.
	maxRows = 512
	// sieved is how many of the first bytes a sieve looks at.
	sieved = 12
)

// rowSet is a set of rows, by their place in a sieve.
type rowSet [maxRows / 64]uint64

func (s *rowSet) add(i int) { s[i/64] |= 1 << (i % 64) }

// sieve rules rows out by the first bytes, 64 rows at once: what each value of a byte
// leaves is a set of rows, and those of several bytes are joined. One row after the other,
// of those that the first byte left, a stream took 195 ns instead of 84
// (BenchmarkNoMatch/tcp, pairs in turn, 2026-11).
type sieve struct {
	rows  []uint16          // by place in the sieve, that in the table
	first *[256]rowSet      // by the first byte, what its tests say
	after []*[sieved - 1]by // by word of a set, then by the bytes behind the first: their fixed bits
}

// by is what the values of a byte leave of 64 rows, by its upper and by its lower half.
type by [2][16]uint64

// newSieve makes a sieve of the rows of a table that need no port. Those with the same first
// byte stand together, so that what it leaves is in a word or two, and in front those that do not
// mind the first byte, which are in all of them.
func newSieve(rows []row) sieve {
	s := sieve{first: new([256]rowSet)}
	var of [256][]uint16 // rows by the least first byte
	var every []uint16
	firsts := make([][]byte, len(rows))
	for i := range rows {
		if len(rows[i].ports) > 0 {
			continue
		}
		firstBytes(rows[i].first, func(c byte) { firsts[i] = append(firsts[i], c) })
		if n := len(firsts[i]); n > 128 {
			every = append(every, uint16(i))
		} else if n > 0 {
			of[firsts[i][0]] = append(of[firsts[i][0]], uint16(i))
		}
	}
	s.rows = every
	for _, some := range of {
		s.rows = append(s.rows, some...)
	}
	if len(s.rows) > maxRows {
		panic("fixed: more rows than a set holds")
	}
	for place, i := range s.rows {
		for _, c := range firsts[i] {
			s.first[c].add(place)
		}
		s.add(place, rows[i].first)
	}
	return s
}

// add has the row at a place ruled out wherever the bytes behind the first are sure to fail its tests.
func (s *sieve) add(place int, tests []test) {
	word, bit := place/64, uint64(1)<<(place%64)
	if word == len(s.after) {
		s.after = append(s.after, newWord())
	}
	_, mask, want := newFilter(tests)
	for at := range s.after[word] {
		for half, shift := range [2]int{4, 0} {
			m, w := mask[at+1]>>shift&0xf, want[at+1]>>shift&0xf
			if m == 0 {
				continue
			}
			for v := range s.after[word][at][half] {
				if byte(v)&m != w {
					s.after[word][at][half][v] &^= bit
				}
			}
		}
	}
}

// newWord rules out none of 64 rows.
func newWord() *[sieved - 1]by {
	w := new([sieved - 1]by)
	for at := range w {
		for half := range w[at] {
			for v := range w[at][half] {
				w[at][half][v] = ^uint64(0)
			}
		}
	}
	return w
}

// leave is the 64 rows of a word that b, which has a byte, does not rule out.
func (s *sieve) leave(b []byte, word int) uint64 {
	rows := s.first[b[0]][word]
	if rows == 0 {
		return 0
	}
	after := s.after[word]
	for at, c := range b[1:min(len(b), sieved)] {
		rows &= after[at][0][c>>4] & after[at][1][c&0xf]
	}
	return rows
}

// left is how far the rows that some bytes leave have been gone through.
type left struct {
	rows uint64 // of the word before
	word int    // the next one
}

// next is a row that b, which has a byte, does not rule out, by its place in the table. They
// come in no order.
func (s *sieve) next(b []byte, l *left) (i int, ok bool) {
	for l.rows == 0 {
		if l.word == len(s.after) {
			return 0, false
		}
		l.rows = s.leave(b, l.word)
		l.word++
	}
	bit := bits.TrailingZeros64(l.rows)
	l.rows &= l.rows - 1
	return int(s.rows[(l.word-1)*64+bit]), true
}
