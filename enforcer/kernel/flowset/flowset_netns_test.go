//go:build linux

package flowset

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

func both() []artifact.FlowSet {
	fields := []artifact.FlowField{artifact.FieldOtherAddr, artifact.FieldOtherPort, artifact.FieldLocalAddr}
	return []artifact.FlowSet{
		{Kind: artifact.FlowSetNft, Family: "inet", Table: artifact.SetTable, Name: "n", Version: 4, Fields: fields, Timeout: time.Hour, Size: 65536, Managed: true},
		{Kind: artifact.FlowSetIpset, Name: "i", Type: "hash:ip,port,ip", Version: 4, Fields: fields, Timeout: time.Hour, Size: 65536, Managed: true},
	}
}

func prepare(t testing.TB, sets []artifact.FlowSet) {
	t.Helper()
	if _, err := Prepare(sets, func(*artifact.FlowSet) {}); err != nil {
		t.Fatal(err)
	}
}

// changes are n members of each of the sets.
func changes(sets []artifact.FlowSet, n int) []artifact.MemberChange {
	var out []artifact.MemberChange
	for i := range n {
		m := artifact.Member{
			Local: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), Other: netip.MustParseAddr("192.0.2.1"), OtherPort: 443, Proto: 6,
		}
		for s := range sets {
			out = append(out, artifact.MemberChange{Set: &sets[s], Member: m})
		}
	}
	return out
}

func TestBothKindsInOneBatch(t *testing.T) {
	ns := kerneltest.NewNS(t)
	sets := both()
	prepare(t, sets)
	var w Writer
	if faults := w.Write(changes(sets, Batch/2)); len(faults) != 0 {
		t.Fatal(faults)
	}
	if n := strings.Count(ns.Run("nft", "list", "set", "inet", artifact.SetTable, "n"), "expires"); n != Batch/2 {
		t.Errorf("%d elements in the set of nftables, want %d", n, Batch/2)
	}
	if out := ns.Run("ipset", "list", "i"); !strings.Contains(out, "Number of entries: 500\n") {
		t.Errorf("ipset: %s", out)
	}
	for i := range sets {
		if got := w.Lives(&sets[i]); got != time.Hour {
			t.Errorf("%s: elements live for %s, want an hour", sets[i].ID(), got)
		}
		if err := w.Flush(&sets[i]); err != nil {
			t.Error(err)
		}
	}
}

// What is right stays as it is, with its elements; what is of another type is
// made anew; what is no longer named goes, and the user's own is only emptied.
func TestPrepareAndCollect(t *testing.T) {
	ns := kerneltest.NewNS(t)
	sets := both()
	prepare(t, sets)
	var w Writer
	w.Write(changes(sets, 1))
	later := both()
	later[1].Size = 100
	var made []string
	undo, err := Prepare(later, func(s *artifact.FlowSet) { made = append(made, s.ID()) })
	if diff := cmp.Diff([]string{"ipset i"}, made); err != nil || diff != "" {
		t.Fatalf("%v, -want +got:\n%s", err, diff)
	}
	if out := ns.Run("nft", "list", "set", "inet", artifact.SetTable, "n"); !strings.Contains(out, "expires") {
		t.Errorf("the set that was right lost its element: %s", out)
	}
	if err := undo(); err != nil {
		t.Fatal(err)
	}
	if got, err := Describe(&later[1]); got != "" || err != nil {
		t.Errorf("after undo: %q, %v", got, err)
	}
	before := both()
	before[0].Managed, before[0].FlushOnDestroy = false, true
	prepare(t, later)
	var gone []string
	if err := Collect(before, nil, func(s *artifact.FlowSet) { gone = append(gone, s.ID()) }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ipset i"}, gone); diff != "" {
		t.Errorf("removed, -want +got:\n%s", diff)
	}
	if out := ns.Run("nft", "list", "set", "inet", artifact.SetTable, "n"); strings.Contains(out, "expires") {
		t.Errorf("the user's set was to be emptied: %s", out)
	}
	if err := Collect(later, later, func(s *artifact.FlowSet) { t.Errorf("%s was removed and is named", s.ID()) }); err != nil {
		t.Error(err)
	}
}

func BenchmarkWrite(b *testing.B) {
	for kind, i := range map[string]int{"nft": 0, "ipset": 1} {
		b.Run(kind, func(b *testing.B) {
			kerneltest.NewNS(b)
			sets := both()[i : i+1]
			prepare(b, sets)
			list := changes(sets, Batch)
			var w Writer
			for b.Loop() {
				if faults := w.Write(list); len(faults) != 0 {
					b.Fatal(faults)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/Batch, "us/element")
		})
	}
}
