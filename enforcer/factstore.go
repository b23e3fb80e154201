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
// Index 0 is the empty set. Who remembers what it made of a set must remember its
// version as well.
type factStore struct {
	shared[fact.Packed]
	seed    maphash.Seed
	scratch fact.Packed
}

func newFactStore() *factStore {
	return &factStore{shared: newShared[fact.Packed](), seed: maphash.MakeSeed()}
}

// keep stores what f knows, without its tuple, and returns where. The caller must
// release it once. old is where what the flow knew before is, or 0: most often
// nothing has changed.
func (s *factStore) keep(f *fact.Facts, old uint32) uint32 {
	p := &s.scratch
	if p.Pack(f); p.Empty() {
		return 0
	}
	if old != 0 && s.at(old).Equal(p) {
		s.again(old)
		return old
	}
	h := p.Hash(s.seed)
	i := s.use(h, p.Equal)
	if i == 0 {
		i = s.add(h)
		s.at(i).Copy(p)
	}
	return i
}

// release gives one use back.
func (s *factStore) release(i uint32) {
	if s.shared.release(i) {
		s.at(i).Clear()
	}
}
