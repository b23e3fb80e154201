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
	index   map[uint64]uint32 // by hash, the first of a chain
	chunks  [][]factSet       // so that growth moves none
	made    uint32            // 0 included
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

// factChunk sets are allocated at a time.
const factChunk = 64

func newFactStore() *factStore {
	return &factStore{seed: maphash.MakeSeed(), index: make(map[uint64]uint32), chunks: [][]factSet{make([]factSet, factChunk)}, made: 1}
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
	for i := s.index[h]; i != 0; i = s.at(i).next {
		if set := s.at(i); set.facts.Equal(p) {
			set.refs++
			return i
		}
	}
	i := s.place()
	set := s.at(i)
	set.facts.Copy(p)
	set.hash, set.refs, set.next = h, 1, s.index[h]
	set.version++
	s.index[h] = i
	return i
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
	s.unlink(i)
	set.facts.Clear()
	set.next, s.free = s.free, i
}

// unlink takes set i out of its chain.
func (s *factStore) unlink(i uint32) {
	h, next := s.at(i).hash, s.at(i).next
	if s.index[h] == i {
		if next != 0 {
			s.index[h] = next
		} else {
			delete(s.index, h)
		}
		return
	}
	for j := s.index[h]; ; j = s.at(j).next {
		if s.at(j).next == i {
			s.at(j).next = next
			return
		}
	}
}
