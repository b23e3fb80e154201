package slab

// chunk values are allocated at a time. 128 at a time cost a replay 1 % of its time and 1.5 MB
// more than 512 (2026-11-22).
const chunk = 512

// Slab keeps values by number, from 1 on; 0 is none. Memory is not given back: there is
// as much of it as was in use at once, for the next that take some, and four bytes for each
// value that is not in use. The zero value is empty. Not safe for concurrent use.
type Slab[T any] struct {
	// Not pointers to arrays: Go reads the first value of one to see that it is not nil, which cost
	// 3 % of a flow (BenchmarkGrowth, 2026-11-22).
	chunks [][]T
	made   uint32 // numbers ever given
	idle   []uint32
}

// At is value i, which must be taken. The pointer stays good until it is released: whoever
// has it then may see another's value.
func (s *Slab[T]) At(i uint32) *T { return &s.chunks[(i-1)/chunk][(i-1)%chunk] }

// Take gives the number of a value, which is zero.
func (s *Slab[T]) Take() uint32 {
	i := s.Reuse()
	// A new one as well: a page of memory that is read before it is written faults twice.
	var zero T
	*s.At(i) = zero
	return i
}

// Reuse is Take, but for that the value is what its last user left, or zero.
func (s *Slab[T]) Reuse() uint32 {
	if n := len(s.idle); n > 0 {
		i := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return i
	}
	if int(s.made) == len(s.chunks)*chunk {
		s.chunks = append(s.chunks, make([]T, chunk))
	}
	s.made++
	return s.made
}

// Release gives value i back, once. What it points to is kept until it is taken again.
func (s *Slab[T]) Release(i uint32) { s.idle = append(s.idle, i) }

// Used is how many values are taken.
func (s *Slab[T]) Used() int { return int(s.made) - len(s.idle) }

// Made is how many there are, taken or not.
func (s *Slab[T]) Made() int { return int(s.made) }
