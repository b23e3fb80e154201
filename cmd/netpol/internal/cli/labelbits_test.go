package cli

import (
	"testing"

	"github.com/netpol/netpol/cmd/netpol/internal/router"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/lang"
)

// TestConnectionsAreCountedWhereABitMoves: a plan that moves no label asks
// conntrack nothing.
func TestConnectionsAreCountedWhereABitMoves(t *testing.T) {
	kerneltest.NewNS(t)
	zoom, games := artifact.Label{Name: "zoom", Bit: 1}, artifact.Label{Name: "games", Bit: 2}
	cases := []struct {
		name          string
		policies, now []artifact.Label
		lock          []lang.LockedLabel
		counted       bool
	}{
		{"as applied", []artifact.Label{zoom, games}, []artifact.Label{zoom, games}, nil, false},
		{"nothing applied", []artifact.Label{zoom}, nil, nil, true},
		{"a label comes", []artifact.Label{zoom, games}, []artifact.Label{zoom}, nil, true},
		{"a label goes", []artifact.Label{zoom}, []artifact.Label{zoom, games}, nil, true},
		{"a label moves", []artifact.Label{zoom}, []artifact.Label{{Name: "zoom", Bit: 2}}, nil, true},
		{"an author's line is left in the lock", []artifact.Label{zoom}, []artifact.Label{zoom}, []lang.LockedLabel{{Name: "games", Bit: 2}}, false},
		{"a line of netpol's own is left in the lock", []artifact.Label{zoom}, []artifact.Label{zoom}, []lang.LockedLabel{{Name: "np-drop", Bit: 2}}, true},
	}
	for _, c := range cases {
		set := &policySet{policy: &lang.Policy{Lock: &lang.Lock{Labels: c.lock}}, bundle: &artifact.Bundle{Labels: c.policies}}
		got, err := set.labelBits(&router.Live{Bundle: &artifact.Bundle{Labels: c.now}})
		if err != nil {
			t.Fatal(err)
		}
		if counted := got.Held != nil; counted != c.counted {
			t.Errorf("%s: counted %v, want %v", c.name, counted, c.counted)
		}
	}
}
