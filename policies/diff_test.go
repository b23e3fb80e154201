package policies

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
)

func TestDiff(t *testing.T) {
	before := &artifact.Catalogue{Applications: []artifact.Application{
		{Tag: "gone", Category: "web", Domains: []string{"gone.example"}},
		{Tag: "moved", Category: "web", Domains: []string{"a.example"}},
		{Tag: "same", Name: "Old name", Category: "web", Domains: []string{"same.example"}},
		{Tag: "shop", Category: "web", Domains: []string{"shop.example"}, Ports: []artifact.PortRange{{Transport: "tcp", Low: 1, High: 2}}},
	}}
	after := &artifact.Catalogue{Applications: []artifact.Application{
		{Tag: "moved", Category: "games", Domains: []string{"a.example"}},
		{Tag: "new", Category: "web", Domains: []string{"new.example"}},
		{Tag: "same", Name: "New name", Category: "web", Domains: []string{"same.example"}},
		{Tag: "shop", Category: "web", Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Ports: []artifact.PortRange{{Transport: "tcp", Low: 1, High: 2, NeedsNetwork: true}}},
	}}
	want := []Change{
		{Tag: "gone", Kind: Removed, Before: "web", Removed: []string{"gone.example"}},
		{Tag: "moved", Kind: Changed, Before: "web", After: "games"},
		{Tag: "new", Kind: Added, After: "web", Added: []string{"new.example"}},
		{Tag: "shop", Kind: Changed, Added: []string{"192.0.2.0/24", "tcp/1-2 in its networks"}, Removed: []string{"shop.example", "tcp/1-2"}},
	}
	empty := cmp.Transformer("empty", func(s []string) []string {
		if len(s) == 0 {
			return nil
		}
		return s
	})
	if diff := cmp.Diff(want, Diff(before, after), empty); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if same := Diff(after, after); len(same) != 0 {
		t.Errorf("a catalogue differs from itself: %v", same)
	}
}
