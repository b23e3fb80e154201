package fuzztest

import (
	"bytes"
	"slices"
	"testing"
)

// TestRunIsTheSameEachTime: what fails once can be looked at again.
func TestRunIsTheSameEachTime(t *testing.T) {
	t.Setenv(Environment, "2000")
	run := func() (all [][]byte) {
		Run(t, [][]byte{[]byte("GET / HTTP/1.1\r\n\r\n"), {22, 3, 1, 0, 5}}, func(b []byte) uint64 {
			all = append(all, slices.Clone(b))
			return uint64(len(b))
		})
		return all
	}
	first, second := run(), run()
	if len(first) != 2000 || !slices.EqualFunc(first, second, bytes.Equal) {
		t.Fatalf("%d and %d inputs, or others the second time", len(first), len(second))
	}
}

// TestRunFollowsOutcomes: an input two changes away is reached by way of the
// first, as it has an outcome of its own.
func TestRunFollowsOutcomes(t *testing.T) {
	t.Setenv(Environment, "300000")
	want := []byte("nested")
	best := 0
	Run(t, [][]byte{[]byte("xxxxxx")}, func(b []byte) uint64 {
		same := 0
		for same < min(len(b), len(want)) && b[same] == want[same] {
			same++
		}
		best = max(best, same)
		return uint64(same)
	})
	if best != len(want) {
		t.Errorf("%d bytes of %d were found", best, len(want))
	}
}

func TestRunNeedsTheEnvironment(t *testing.T) {
	t.Setenv(Environment, "")
	Run(t, nil, func([]byte) uint64 { t.Fatal("an input without being asked"); return 0 })
}
