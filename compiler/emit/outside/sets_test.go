package outside

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

func TestAdd(t *testing.T) {
	set := &ir.Set{
		FlowSets: []artifact.FlowSet{{Block: "a", Version: 4}, {Block: "a", Version: 6}, {Block: "b"}},
		Policies: []ir.Policy{
			{Name: "none"},
			{Name: "both", Adds: []string{"a", "b"}},
			{Name: "audit", Adds: []string{"b"}, Audit: true},
			{Name: "later", Adds: []string{"b"}},
		},
	}
	effects := make([]artifact.Effect, len(set.Policies))
	if diags := Emit(set, effects); len(diags) != 0 {
		t.Fatal(diags)
	}
	want := []artifact.Effect{{}, {Adds: []int{0, 1, 2}}, {}, {Adds: []int{2}}}
	if diff := cmp.Diff(want, effects); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diags := Emit(set, nil); len(diags) != 0 {
		t.Errorf("without effects: %v", diags)
	}
}

func TestAddOfWhatOnlyTheKernelKnows(t *testing.T) {
	for name, p := range map[string]ir.Policy{
		"packets": {Adds: []string{"a"}, Packet: ir.Conjunction{{Test: &ir.Compare{}}}},
		"quota":   {Adds: []string{"a"}, Quota: &ir.Quota{Bytes: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			// Parts of one policy are one mistake.
			diags := Emit(&ir.Set{FlowSets: []artifact.FlowSet{{Block: "a"}}, Policies: []ir.Policy{p, p}}, make([]artifact.Effect, 2))
			if len(diags) != 1 || diags[0].Code != diag.ConflictingArguments {
				t.Errorf("got %v, want one refusal", diags)
			}
		})
	}
}
