package router

import (
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
)

// TestRenumbered: a bit that is in force keeps its meaning through applies; going
// back, by hand or because nobody confirmed, is never refused for it.
func TestRenumbered(t *testing.T) {
	live := &Live{Bundle: &artifact.Bundle{Labels: []artifact.Label{{Name: "games", Bit: 0}}}}
	next := &artifact.Bundle{Labels: []artifact.Label{{Name: "zoom", Bit: 0}}}
	const want = `label "zoom" has bit 0 in the bundle, which is in force as "games" on this router: apply policies without "zoom" first, and netpol takes the bit off live connections`
	for operation, refused := range map[string]bool{OpApply: true, "": true, OpRollback: false, OpTimeout: false} {
		switch err := live.renumbered(next, Meta{Operation: operation}); {
		case refused && (err == nil || err.Error() != want):
			t.Errorf("%q: got %v\nwant %s", operation, err, want)
		case !refused && err != nil:
			t.Errorf("%q: %v", operation, err)
		}
	}
}
