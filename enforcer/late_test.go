package enforcer

import (
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/lang/fact"
)

// A verdict that comes after an accept by name is not given on the headers
// alone, and no later one is given in its place.
func TestLateVerdictsWait(t *testing.T) {
	port := func(p int) artifact.Test {
		return artifact.Test{Op: artifact.TestRange, Attribute: "dst_port", Ranges: []artifact.Range{{Low: p, High: p}}}
	}
	auto := func(bit int, late bool) artifact.Effect {
		return artifact.Effect{Verdict: artifact.Claim{Kind: artifact.ClaimAuto, Bit: bit, Late: late}}
	}
	b := &artifact.Bundle{
		Format: artifact.FormatVersion, ABI: fact.ABI(),
		Labels:   []artifact.Label{{Name: "np-drop", Bit: 0}, {Name: "np-reject", Bit: 1}},
		Policies: []artifact.Policy{{Name: "late"}, {Name: "next"}},
		Program: artifact.Program{
			Engine: artifact.Engine, Tests: []artifact.Test{port(80)},
			Clauses: []artifact.Clause{{Policy: 0, Access: artifact.NoAccess, If: []artifact.Literal{0}}, {Policy: 1, Access: artifact.NoAccess, If: []artifact.Literal{0}}},
			Effects: []artifact.Effect{auto(0, true), auto(1, false)},
		},
	}
	p, err := loadPolicy(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		in   *program.Program
		want byte
	}{{"by headers", p.early, 0}, {"named", p.program, 1}} {
		if got := c.in.NewMachine().Eval(&fact.Facts{DstPort: 80}).Labels[0]; got != c.want {
			t.Errorf("%s: labels %b, want %b", c.name, got, c.want)
		}
	}
}
