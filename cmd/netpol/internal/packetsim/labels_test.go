package packetsim

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/emit/nft"
)

// TestManyLabelsCostFewRules gives 100 labels an effect each: the first in the
// order of policies wins, and a packet is tested for few of them.
func TestManyLabelsCostFewRules(t *testing.T) {
	const labels = 100
	var effects []nft.Effect
	order := rand.New(rand.NewPCG(1, 2)).Perm(labels)
	for i, bit := range order {
		dscp := uint8(i % 64)
		priority := uint32(i + 1)
		effects = append(effects, nft.Effect{
			Policy: artifact.Policy{Name: fmt.Sprintf("p%d", i)}, Label: artifact.Label{Name: fmt.Sprintf("l%d", bit), Bit: bit},
			DSCP: &dscp, Priority: &priority, Verdict: []string{"accept", "drop", ""}[i%3],
		})
	}
	rs := nft.Emit(nft.Input{Effects: effects, NoCapture: true})
	table := New(&rs)
	rng := rand.New(rand.NewPCG(3, 4))
	for n := range 2000 {
		var c Connection
		c.Confirmed = true
		want := -1 // the first policy whose label is set
		verdict := Pass
		for range n % 4 {
			c.set(rng.IntN(labels))
		}
		for i, bit := range order {
			if !c.Has(bit) {
				continue
			}
			if want < 0 {
				want = i
			}
			if i%3 != 2 {
				verdict = []Verdict{Pass, Drop}[i%3]
				break
			}
		}
		p := Packet{Path: Forward, Protocol: 17, Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("8.8.8.8"), In: "lan0", Out: "wan0"}
		r, err := table.Send(&c, &p)
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != verdict {
			t.Fatalf("labels %x: verdict %v, want %v", c.Labels, r.Verdict, verdict)
		}
		if r.Verdict == Drop {
			continue
		}
		switch {
		case want < 0 && (r.DSCP != nil || r.Priority != nil):
			t.Fatalf("no label: %+v", r)
		case want >= 0 && (r.DSCP == nil || *r.DSCP != uint8(want%64) || r.Priority == nil || *r.Priority != uint32(want+1)):
			t.Fatalf("labels %x: got %+v, want those of policy %d", c.Labels, r, want)
		}
		if want < 0 && table.tested > 3 || table.tested > 70 {
			t.Fatalf("labels %x: %d rules were tried", c.Labels, table.tested)
		}
	}
}

// TestCodePointsLeadToPriorities: where both share a base chain, a packet that gets a
// code point goes on to the priorities, and gets one by its own label alone.
func TestCodePointsLeadToPriorities(t *testing.T) {
	classified := artifact.Label{Name: "classified", Bit: 3}
	urgent := artifact.Label{Name: "urgent", Bit: 7}
	dscp, high, low := uint8(40), uint32(1), uint32(2)
	rs := nft.Emit(nft.Input{NoCapture: true, Effects: []nft.Effect{
		{Policy: artifact.Policy{Name: "a"}, Label: classified, DSCP: &dscp},
		{Policy: artifact.Policy{Name: "b"}, Label: urgent, Priority: &high, Own: true},
		{Policy: artifact.Policy{Name: "c"}, Label: urgent, Priority: &low, Own: true},
	}})
	table := New(&rs)
	for _, tt := range []struct {
		name     string
		labels   []int
		dscp     *uint8
		priority *uint32
	}{
		{"none", nil, nil, nil},
		{"code point", []int{3}, &dscp, nil},
		{"priority", []int{7}, nil, &high},
		{"both", []int{3, 7}, &dscp, &high},
	} {
		for _, src := range []string{"10.0.0.1", "2001:db8::1"} {
			c := Connection{Confirmed: true}
			for _, bit := range tt.labels {
				c.set(bit)
			}
			from := netip.MustParseAddr(src)
			r, err := table.Send(&c, &Packet{Path: Forward, Protocol: 17, Src: from, Dst: from.Next(), In: "lan0", Out: "wan0"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]any{tt.dscp, tt.priority}, []any{r.DSCP, r.Priority}); diff != "" {
				t.Errorf("%s from %s: code point and priority (-want +got):\n%s", tt.name, src, diff)
			}
		}
	}
}
