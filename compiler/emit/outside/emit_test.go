package outside

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
)

func TestNotify(t *testing.T) {
	set := &ir.Set{
		Sinks: []ir.Sink{{Sink: artifact.Sink{Name: "a"}}, {Sink: artifact.Sink{Name: "b"}}},
		Policies: []ir.Policy{
			{Name: "none"},
			{Name: "both", Notify: []string{"a", "b"}},
			{Name: "on trial", Notify: []string{"b"}, Audit: true},
		},
	}
	effects := make([]artifact.Effect, 3)
	if diags := Emit(set, effects); len(diags) != 0 {
		t.Fatal(diags)
	}
	if diff := cmp.Diff([]artifact.Effect{{}, {Notify: []int{0, 1}}, {Notify: []int{1}}}, effects); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNotifyOfWhatOnlyTheKernelKnows(t *testing.T) {
	for want, p := range map[string]ir.Policy{
		"The policy asks for what only the kernel's rules know of each packet ( in {}), and sinks are notified by netpold. Notify from a policy that asks for the rest alone; total_rate and duration can be asked for. log = true has the kernel tell of packets.": {Notify: []string{"a"}, Packet: ir.Conjunction{{Test: &ir.Compare{}}}},
		"The effects of a policy with a quota begin when the kernel sees it used up, and sinks are notified by netpold, which does not. Write a policy of its own for notify; log = true has the kernel tell of packets.":                                           {Notify: []string{"a"}, Quota: &ir.Quota{Bytes: 1}},
	} {
		// Parts of one policy are one mistake.
		diags := Emit(&ir.Set{Sinks: []ir.Sink{{Sink: artifact.Sink{Name: "a"}}}, Policies: []ir.Policy{p, p}}, make([]artifact.Effect, 2))
		if len(diags) != 1 || diags[0].Detail != want {
			t.Errorf("got %v, want %s", diags, want)
		}
	}
}

func TestWatching(t *testing.T) {
	all := []ir.Sink{
		{Sink: artifact.Sink{Name: "flows", Records: []string{"flow_end"}}},
		{Sink: artifact.Sink{Name: "status", Records: []string{"agent_status", "interface_stats"}}},
		{Sink: artifact.Sink{Name: "notified"}},
		{Sink: artifact.Sink{Name: "hosts", Records: []string{"endpoints"}}},
	}
	var got []string
	for _, p := range Watching(&ir.Set{Sinks: all, Aggregates: []ir.Aggregate{{Aggregate: artifact.Aggregate{Name: "usage"}}}}) {
		got = append(got, p.Name)
	}
	if diff := cmp.Diff([]string{"flows", "hosts", "usage"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
