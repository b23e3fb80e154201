package flow

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestSet notes and removes flows at random, and walks over the noted ones in steps: each that is
// there is visited once, whatever was removed and put in again meanwhile.
func TestSet(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	table := NewTable(1<<16, 1, Timeouts{Established: time.Hour, Datagram: time.Hour}, nil)
	var s Set
	want := map[ID]bool{}
	for round := range 2000 {
		id := table.Insert(&Key{A: [16]byte{byte(round), byte(round >> 8)}, Proto: 17, IPVersion: 4}, Datagram, 1)
		if rng.IntN(2) == 0 {
			s.Add(id)
			want[id] = true
		}
		if rng.IntN(3) == 0 {
			gone := ID(1 + rng.IntN(int(id)))
			if table.At(gone).Has(live) {
				table.Remove(gone)
				delete(want, gone)
			}
		}
	}
	for pass, keep := range []bool{true, false, false} {
		got := map[ID]bool{}
		for at, more := ID(0), true; more; more = at != 0 {
			at = table.SliceOf(&s, at, 100, func(id ID, _ *Record) bool {
				if got[id] {
					t.Errorf("pass %d: flow %d is visited twice", pass, id)
				}
				got[id] = true
				return keep
			})
		}
		if pass == 2 {
			want = nil // the second one forgot them
		}
		for id := range want {
			if !got[id] {
				t.Errorf("pass %d: flow %d is left out", pass, id)
			}
		}
		for id := range got {
			// A removed flow's number may be another's now, which is visited besides.
			if pass == 2 || !table.At(id).Has(live) {
				t.Errorf("pass %d: flow %d is visited", pass, id)
			}
		}
	}
	if table.Gather(&s); len(flowsOf(table, &s)) != table.Len() {
		t.Errorf("got %d of %d flows of a whole table", len(flowsOf(table, &s)), table.Len())
	}
	var other Set
	other.Add(7)
	other.Add(70_000)
	if other.Join(&Set{}); !other.Has(7) || !other.Has(70_000) || other.Has(8) {
		t.Error("got another set than before")
	}
	if s.Clear(); len(flowsOf(table, &s)) != 0 {
		t.Error("got flows of an empty set")
	}
	s.Join(&other)
	if other.Drop(7); !s.Has(70_000) || !s.Has(7) || other.Has(7) {
		t.Error("got another set than was joined")
	}
}

func flowsOf(table *Table, s *Set) (list []ID) {
	table.SliceOf(s, 0, 1<<30, func(id ID, _ *Record) bool {
		list = append(list, id)
		return true
	})
	return slices.Compact(list)
}

func TestSetAllocatesNothing(t *testing.T) {
	var s, other Set
	s.Add(100_000)
	other.Add(100_000)
	if n := testing.AllocsPerRun(100, func() { s.Add(99_999); s.Join(&other); s.Clear() }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
