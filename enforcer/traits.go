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

// traitStore keeps each different set of traits once, by Record.Traits, counted. 0 is
// the empty set, which is always there.
type traitStore struct {
	seed  uint64
	items []traitItem
	heads []uint32 // by hash, the first of a chain; power of two
	used  int
	free  uint32
}

type traitItem struct {
	traits
	refs uint32
	next uint32 // in the chain, or in the list of free items
}

// minTraits is the size of an empty store's index.
const minTraits = 256

func newTraitStore(seed uint64) traitStore {
	return traitStore{seed: seed, items: make([]traitItem, 1), heads: make([]uint32, minTraits)}
}

// traitsOf are a flow's.
func (w *worker) traitsOf(r *flow.Record) *traits { return &w.traits.items[r.Traits].traits }

// setTraits gives a flow others.
func (w *worker) setTraits(r *flow.Record, to *traits) {
	s := &w.traits
	if s.items[r.Traits].traits == *to {
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
	head := s.head(t)
	for i := *head; i != 0; i = s.items[i].next {
		if item := &s.items[i]; item.traits == *t {
			item.refs++
			return i
		}
	}
	if s.used++; s.used > len(s.heads) {
		s.grow()
		head = s.head(t)
	}
	i := s.free
	if i != 0 {
		s.free = s.items[i].next
	} else {
		i = uint32(len(s.items))
		s.items = append(s.items, traitItem{})
	}
	s.items[i] = traitItem{traits: *t, refs: 1, next: *head}
	*head = i
	return i
}

// release gives one use back.
func (s *traitStore) release(i uint32) {
	item := &s.items[i]
	if i == 0 {
		return
	}
	if item.refs--; item.refs > 0 {
		return
	}
	link := s.head(&item.traits)
	for *link != i {
		link = &s.items[*link].next
	}
	*link = item.next
	*item = traitItem{next: s.free}
	s.free = i
	s.used--
}

// head is where the chain of t begins. Hardware addresses are a sender's to choose, so the
// seed must be unpredictable.
func (s *traitStore) head(t *traits) *uint32 {
	ends := uint64(t.mac[0]) | uint64(t.mac[1])<<16 | uint64(t.iface)<<32 | uint64(t.dscp)<<48
	h := s.seed ^ ends
	for _, word := range [...]uint64{binary.LittleEndian.Uint64(t.labels[:8]), binary.LittleEndian.Uint64(t.labels[8:]), uint64(t.mark)<<32 | uint64(t.name)} {
		high, low := bits.Mul64(h^golden, word^s.seed)
		h = high ^ low ^ word
	}
	high, low := bits.Mul64(h, golden)
	return &s.heads[int(high^low)&(len(s.heads)-1)]
}

// golden is 2^64 divided by the golden ratio, made odd (Knuth, TAOCP 6.4).
const golden = 0x9e3779b97f4a7c15

func (s *traitStore) grow() {
	old := s.heads
	s.heads = make([]uint32, 2*len(old))
	for _, i := range old {
		for i != 0 {
			item := &s.items[i]
			next := item.next
			head := s.head(&item.traits)
			item.next, *head = *head, i
			i = next
		}
	}
}
