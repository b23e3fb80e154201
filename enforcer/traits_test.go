package enforcer

import (
	"math/rand/v2"
	"testing"
)

// TestTraitStoreAgainstMap keeps and releases sets at random, of which many are equal.
func TestTraitStoreAgainstMap(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	s := newTraitStore(7)
	at, refs := map[traits]uint32{}, map[traits]int{}
	var held []traits
	for n := range 50_000 {
		if len(held) > 0 && (n > 30_000 || rnd.IntN(3) == 0) {
			i := rnd.IntN(len(held))
			one := held[i]
			held[i] = held[len(held)-1]
			held = held[:len(held)-1]
			s.release(at[one])
			if refs[one]--; refs[one] == 0 {
				delete(refs, one)
			}
			continue
		}
		one := traits{mark: rnd.Uint32N(3), iface: uint16(rnd.UintN(2)), mac: [2]uint16{uint16(rnd.UintN(2000))}}
		i := s.keep(&one)
		if *s.at(i) != one || (i == 0) != (one == traits{}) || refs[one] > 0 && at[one] != i {
			t.Fatalf("%+v is at %d as %+v, and was at %d", one, i, *s.at(i), at[one])
		}
		if i != 0 {
			at[one] = i
			refs[one]++
			held = append(held, one)
		}
		if s.used() != len(refs) {
			t.Fatalf("%d sets, want %d", s.used(), len(refs))
		}
	}
	if len(s.heads) == minHeads {
		t.Error("the index should have grown")
	}
	for _, one := range held {
		s.release(at[one])
	}
	if s.used() != 0 {
		t.Errorf("%d sets are left of none", s.used())
	}
}

// TestFlowsShareTraits: flows that are alike have one set, and the last gives it back.
func TestFlowsShareTraits(t *testing.T) {
	c, w := crowded(t, bundle(t, zoomPolicy()), 100)
	c.play(t, w, c.opened(0, 1000, crowdHello))
	if w.traits.used() != 1 || w.traitsOf(w.table.At(1)).labels == [16]byte{} {
		t.Errorf("%d sets of traits, want one with a label", w.traits.used())
	}
	w.finish()
	if w.traits.used() != 0 {
		t.Errorf("%d sets of traits without flows", w.traits.used())
	}
}
