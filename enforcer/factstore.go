package enforcer

import (
	"hash/maphash"

	"github.com/netpol/netpol/lang/fact"
)

// factStore keeps what is known of flows, each different set once: many flows of a
// network say the same (same server name, same client software), and a record or
// an opening then costs four bytes for it. What differs from flow to flow by nature,
// the tuple, is left out; the record has it.
//
// Sets are counted; index 0 is the empty set and never kept. An index stays its
// set's until the last use is released. It may be another set's then: who remembers
// what it made of a set must remember its version as well.
type factStore struct {
	seed    maphash.Seed
	heads   []uint32    // by hash, the first of a chain; a power of two
	chunks  [][]factSet // so that growth moves none
	made    uint32      // 0 included
	used    int
	free    uint32
	scratch fact.Packed
}

type factSet struct {
	facts   fact.Packed
	hash    uint64
	refs    uint32
	next    uint32 // in the chain, or in the list of free sets
	version uint32 // how many sets the index has been given to
}

// factChunk sets are allocated at a time; minFactHeads is the size of an empty store's index.
const (
	factChunk    = 64
	minFactHeads = 256
)

func newFactStore() *factStore {
	return &factStore{seed: maphash.MakeSeed(), heads: make([]uint32, minFactHeads), chunks: [][]factSet{make([]factSet, factChunk)}, made: 1}
}

func (s *factStore) at(i uint32) *factSet { return &s.chunks[i/factChunk][i%factChunk] }

// keep stores what f knows, without its tuple, and returns where. The caller must
// release it once. old is where what the flow knew before is, or 0: most often
// nothing has changed.
func (s *factStore) keep(f *fact.Facts, old uint32) uint32 {
	p := &s.scratch
	if p.Pack(f); p.Empty() {
		return 0
	}
	if old != 0 && s.at(old).facts.Equal(p) {
		s.at(old).refs++
		return old
	}
	h := p.Hash(s.seed)
	for i := *s.head(h); i != 0; i = s.at(i).next {
		if set := s.at(i); set.hash == h && set.facts.Equal(p) {
			set.refs++
			return i
		}
	}
	if s.used++; s.used > len(s.heads) {
		s.grow()
	}
	i, head := s.place(), s.head(h)
	set := s.at(i)
	set.facts.Copy(p)
	set.hash, set.refs, set.next = h, 1, *head
	set.version++
	*head = i
	return i
}

// head is where the chain of a hash begins.
func (s *factStore) head(h uint64) *uint32 { return &s.heads[h&uint64(len(s.heads)-1)] }

// grow makes the index twice as large.
func (s *factStore) grow() {
	before := s.heads
	s.heads = make([]uint32, 2*len(before))
	for _, i := range before {
		for i != 0 {
			set := s.at(i)
			head, next := s.head(set.hash), set.next
			set.next, *head, i = *head, i, next
		}
	}
}

// place is a free index.
func (s *factStore) place() uint32 {
	if i := s.free; i != 0 {
		s.free = s.at(i).next
		return i
	}
	if int(s.made) == len(s.chunks)*factChunk {
		s.chunks = append(s.chunks, make([]factSet, factChunk))
	}
	s.made++
	return s.made - 1
}

// get is what keep stored. It is valid until it is released.
func (s *factStore) get(i uint32) *fact.Packed { return &s.at(i).facts }

// version tells sets apart that have had the same index, one after the other.
func (s *factStore) version(i uint32) uint32 { return s.at(i).version }

// release gives one use back.
func (s *factStore) release(i uint32) {
	if i == 0 {
		return
	}
	set := s.at(i)
	set.refs--
	if set.refs > 0 {
		return
	}
	link := s.head(set.hash)
	for *link != i {
		link = &s.at(*link).next
	}
	*link = set.next
	set.facts.Clear()
	set.next, s.free = s.free, i
	s.used--
}
