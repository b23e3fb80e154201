package evasion

import (
	"testing"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/policies"
)

// TestLive: each row's connections have, through a router, the outcome that it
// states for a router.
func TestLive(t *testing.T) {
	kerneltest.NewNS(t)
	catalogue, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	results, err := RunLive(t.Context(), catalogue, Rows())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if !r.OK() {
			t.Errorf("row %d, %s, %s: got %+v, want %+v", r.Row, r.Title, r.Variant, r.Got, r.Want)
		}
	}
}
