package enforcer

import "github.com/netpol/netpol/enforcer/slab"

// shared keeps values that many flows have in common, each different one once, by an
// index that a record has room for. Uses are counted: an index stays its value's until
// the last of them is released, and may be another value's then. Index 0 is no value's;
// at(0) is the zero value.
type shared[T any] struct {
	heads []uint32 // by hash, the first of a chain; a power of two
	items slab.Slab[sharedItem[T]]
	// By index, how many values it has been given to: apart, so that who asks reads no item.
	versions []uint32
}

type sharedItem[T any] struct {
	value T
	hash  uint64
	refs  uint32
	next  uint32 // in the chain
}

// minHeads is the size of an index that has one value.
const minHeads = 256

func newShared[T any]() shared[T] {
	s := shared[T]{heads: make([]uint32, minHeads), versions: make([]uint32, 1)}
	s.items.Take() // for index 0
	return s
}

// item is that of an index: the numbers of a slab begin with 1.
func (s *shared[T]) item(i uint32) *sharedItem[T] { return s.items.At(i + 1) }

// used is how many values there are.
func (s *shared[T]) used() int { return s.items.Used() - 1 }

// at is the value at an index, and valid until its last use is released.
func (s *shared[T]) at(i uint32) *T { return &s.item(i).value }

// version tells values apart that have had the same index, one after the other.
func (s *shared[T]) version(i uint32) uint32 { return s.versions[i] }

// use gives the value with a hash that is the same, with one use more, or 0.
func (s *shared[T]) use(hash uint64, same func(*T) bool) uint32 {
	for i := *s.head(hash); i != 0; {
		it := s.item(i)
		if it.hash == hash && same(&it.value) {
			it.refs++
			return i
		}
		i = it.next
	}
	return 0
}

// again counts one use more of a value.
func (s *shared[T]) again(i uint32) { s.item(i).refs++ }

// add makes room for a value with a hash, with one use, which the caller writes there. It
// finds what the value that had the index before left, whose memory can be used again.
func (s *shared[T]) add(hash uint64) uint32 {
	if s.used() == len(s.heads) {
		s.grow()
	}
	i, head := s.items.Reuse()-1, s.head(hash)
	it := s.item(i)
	it.hash, it.refs, it.next = hash, 1, *head
	if int(i) == len(s.versions) {
		s.versions = append(s.versions, 0)
	}
	s.versions[i]++
	*head = i
	return i
}

// release gives one use back; gone says that it was the last.
func (s *shared[T]) release(i uint32) (gone bool) {
	if i == 0 {
		return false
	}
	it := s.item(i)
	if it.refs--; it.refs > 0 {
		return false
	}
	link := s.head(it.hash)
	for *link != i {
		link = &s.item(*link).next
	}
	*link = it.next
	s.items.Release(i + 1)
	return true
}

// head is where the chain of a hash begins.
func (s *shared[T]) head(hash uint64) *uint32 { return &s.heads[hash&uint64(len(s.heads)-1)] }

// grow makes the index twice as large.
func (s *shared[T]) grow() {
	before := s.heads
	s.heads = make([]uint32, 2*len(before))
	for _, i := range before {
		for i != 0 {
			it := s.item(i)
			head, next := s.head(it.hash), it.next
			it.next, *head, i = *head, i, next
		}
	}
}
