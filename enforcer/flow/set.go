package flow

import "math/bits"

// Set is some of a table's flows, a bit for each ID, so that to note one costs a packet next
// to nothing: those of a million flows are 125 KB. The zero value is empty. What it
// has of removed flows says nothing. Not safe for concurrent use.
type Set struct{ words []uint64 }

// Add notes a flow.
func (s *Set) Add(id ID) {
	i := int(id / 64)
	if i >= len(s.words) {
		s.grow(i + 1)
	}
	s.words[i] |= 1 << (id % 64)
}

func (s *Set) grow(n int) {
	if n > len(s.words) {
		s.words = append(s.words, make([]uint64, max(n-len(s.words), len(s.words)))...)
	}
}

// Has says that a flow is noted.
func (s *Set) Has(id ID) bool {
	i := int(id / 64)
	return i < len(s.words) && s.words[i]&(1<<(id%64)) != 0
}

// Drop forgets a flow.
func (s *Set) Drop(id ID) {
	if i := int(id / 64); i < len(s.words) {
		s.words[i] &^= 1 << (id % 64)
	}
}

// Join notes what another set has.
func (s *Set) Join(other *Set) {
	s.grow(len(other.words))
	for i, w := range other.words {
		s.words[i] |= w
	}
}

// Clear forgets all.
func (s *Set) Clear() { clear(s.words) }

// Gather notes all flows of a table.
func (t *Table) Gather(s *Set) {
	s.grow(int(t.made/64) + 1)
	for i := range s.words {
		s.words[i] = ^uint64(0)
	}
}

// SliceOf calls visit for at most n flows of a set, from behind position from on, and returns
// the position to go on from, 0 at the end. Those for which it says false are forgotten. The set
// may grow between two calls, and must not during one.
func (t *Table) SliceOf(s *Set, from ID, n int, visit func(ID, *Record) (keep bool)) ID {
	at := from + 1
	for i := int(at / 64); i < len(s.words); i++ {
		for left := s.words[i] &^ (1<<(at%64) - 1); left != 0; left &= left - 1 {
			id := ID(i*64 + bits.TrailingZeros64(left))
			if id > t.made {
				break
			}
			if n == 0 {
				return id - 1
			}
			n--
			if r := t.At(id); !r.Has(live) || !visit(id, r) {
				s.words[i] &^= 1 << (id % 64)
			}
		}
		at = ID(i+1) * 64
	}
	return 0
}
