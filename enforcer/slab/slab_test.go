package slab_test

import (
	"testing"

	"github.com/netpol/netpol/enforcer/slab"
)

func TestNumbersAreGivenAgain(t *testing.T) {
	var s slab.Slab[[2]uint64]
	const n = 1000
	at := map[uint32]*[2]uint64{}
	for i := range uint64(n) {
		k := s.Take()
		if k == 0 || at[k] != nil {
			t.Fatalf("number %d is given twice, or is none", k)
		}
		at[k] = s.At(k)
		at[k][0] = i + 1
	}
	for k, v := range at {
		if s.At(k) != v {
			t.Fatalf("value %d has moved", k)
		}
		if k%2 == 0 {
			s.Release(k)
		}
	}
	if s.Used() != n/2 || s.Made() != n {
		t.Errorf("%d values of %d are in use, want %d of %d", s.Used(), s.Made(), n/2, n)
	}
	for range n / 2 {
		k := s.Take()
		if k%2 != 0 {
			t.Fatalf("number %d is given while it is in use", k)
		}
		if *s.At(k) != [2]uint64{} {
			t.Fatalf("value %d is %v, want a zero one", k, *s.At(k))
		}
	}
	if s.Used() != n || s.Made() != n {
		t.Errorf("%d values of %d are in use, want all %d", s.Used(), s.Made(), n)
	}
}

// TestReuseLeavesWhatWasThere: a value's memory is used again with it.
func TestReuseLeavesWhatWasThere(t *testing.T) {
	var s slab.Slab[[]byte]
	k := s.Take()
	*s.At(k) = make([]byte, 0, 64)
	s.Release(k)
	if again := s.Reuse(); again != k || cap(*s.At(again)) != 64 {
		t.Errorf("number %d with room for %d bytes, want %d with 64", again, cap(*s.At(again)), k)
	}
}

func TestTakingAndReleasingAllocatesNothing(t *testing.T) {
	var s slab.Slab[[2]uint64]
	s.Release(s.Take())
	if n := testing.AllocsPerRun(100, func() { s.Release(s.Take()) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
