package enforcer

import (
	"encoding/binary"
	"math/bits"

	"github.com/netpol/netpol/enforcer/flow"
)

// traits are what many flows have in common.
type traits struct {
	labels [16]byte
	mark   uint32
	name   uint32    // a hash of the name that the flow first had; valid iff it is Named
	mac    [2]uint16 // in macTable, by end of the key (A, B); 0 for none
	iface  uint16    // in worker.interfaces, 0 for none
	dscp   uint8     // of the first packet
}

// traitStore keeps each different set of traits once, by Record.Traits. 0 is the empty
// set.
type traitStore struct {
	shared[traits]
	seed uint64
}

func newTraitStore(seed uint64) traitStore {
	return traitStore{shared: newShared[traits](), seed: seed}
}

// traitsOf are a flow's.
func (w *worker) traitsOf(r *flow.Record) *traits { return w.traits.at(r.Traits) }

// setTraits gives a flow others.
func (w *worker) setTraits(r *flow.Record, to *traits) {
	s := &w.traits
	if *s.at(r.Traits) == *to {
		return
	}
	before := r.Traits
	r.Traits = s.keep(to)
	s.release(before)
}

// keep says where t is, which the caller must release once.
func (s *traitStore) keep(t *traits) uint32 {
	if *t == (traits{}) {
		return 0
	}
	h := s.hash(t)
	i := s.use(h, func(kept *traits) bool { return *kept == *t })
	if i == 0 {
		i = s.add(h)
		*s.at(i) = *t
	}
	return i
}

// hash is of all traits. Hardware addresses are a sender's to choose, so the
// seed must be unpredictable.
func (s *traitStore) hash(t *traits) uint64 {
	ends := uint64(t.mac[0]) | uint64(t.mac[1])<<16 | uint64(t.iface)<<32 | uint64(t.dscp)<<48
	h := s.seed ^ ends
	for _, word := range [...]uint64{binary.LittleEndian.Uint64(t.labels[:8]), binary.LittleEndian.Uint64(t.labels[8:]), uint64(t.mark)<<32 | uint64(t.name)} {
		high, low := bits.Mul64(h^golden, word^s.seed)
		h = high ^ low ^ word
	}
	high, low := bits.Mul64(h, golden)
	return high ^ low
}

// golden is 2^64 divided by the golden ratio, made odd (Knuth, TAOCP 6.4).
const golden = 0x9e3779b97f4a7c15
