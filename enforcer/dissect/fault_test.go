package dissect

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/lang/fact"
)

// TestFuse: a dissector that fails often in a short time is asked no more, until
// Restore; others go on, and one that fails now and then stays.
func TestFuse(t *testing.T) {
	const second = int64(time.Second)
	tests := []struct {
		name  string
		fuse  Fuse
		times []int64
		want  uint64 // panics
		off   bool
	}{
		{"no fuse", Fuse{}, []int64{0, 0, 0, 0, 0, 0}, 6, false},
		{"below", Fuse{3, time.Minute}, []int64{0, second}, 2, false},
		{"at once", Fuse{3, time.Minute}, []int64{0, 0, 0, 0, 0}, 3, true},
		{"within the time", Fuse{3, time.Minute}, []int64{0, 59 * second, 60 * second, 61 * second}, 3, true},
		{"now and then", Fuse{3, time.Minute}, []int64{0, 31 * second, 62 * second, 93 * second, 124 * second}, 5, false},
		{"now and then, then often", Fuse{3, time.Minute}, []int64{0, 50 * second, 100 * second, 101 * second, 102 * second}, 4, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bad := scripted{spec: Spec{Name: "bad", UDP: true}, script: []Result{blowUp}, calls: new(int)}
			good := scripted{spec: Spec{Name: "good", UDP: true}, script: []Result{Match}, calls: new(int)}
			s, err := NewScheduler([]Dissector{bad, good}, tt.fuse)
			if err != nil {
				t.Fatal(err)
			}
			begun := s.Start(false, 1, 2) // flows that are open when the fuse blows are kept from it, too
			for _, at := range tt.times {
				c := s.Start(false, 1, 2)
				s.Run(&c, &Window{Time: at}, new(fact.Facts))
			}
			got := s.Faults()
			if len(got) != 1 || got[0].Panics != tt.want || got[0].Off != tt.off || got[0].Name != "bad" {
				t.Fatalf("got %+v, want %d panics, off %v", got, tt.want, tt.off)
			}
			if !strings.Contains(got[0].First, "schedule_test.go:") {
				t.Errorf("the first says %q, not where", got[0].First)
			}
			if result := s.Run(&begun, &Window{}, new(fact.Facts)); tt.off && result != Match {
				t.Errorf("the others say %v, want Match", result)
			}
			resumed := s.Resume(0)
			if result := s.Run(&resumed, &Window{Time: 1000 * second}, new(fact.Facts)); result != NoMatch {
				t.Errorf("resumed with it: got %v, want NoMatch", result)
			}
			before := *bad.calls
			s.Restore()
			c := s.Start(false, 1, 2)
			if s.Run(&c, &Window{Time: 2000 * second}, new(fact.Facts)); *bad.calls != before+1 || s.Faults()[0].Off {
				t.Error("it is not asked again after Restore")
			}
		})
	}
}

func TestFaultsOfOneOnly(t *testing.T) {
	bad := scripted{spec: Spec{Name: "bad", UDP: true}, script: []Result{blowUp}, calls: new(int)}
	good := scripted{spec: Spec{Name: "good", UDP: true}, script: []Result{NoMatch}, calls: new(int)}
	s, err := NewScheduler([]Dissector{good, bad}, Fuse{})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		c := s.Start(false, 1, 2)
		s.Run(&c, &Window{}, new(fact.Facts))
	}
	got := s.Faults()
	for i := range got {
		got[i].First = ""
	}
	if diff := cmp.Diff([]Fault{{Name: "bad", Panics: 3}}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
