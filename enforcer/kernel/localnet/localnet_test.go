package localnet

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
)

// TestNetworksOfRoles: a LAN's are what is reached by it, a WAN's its own addresses,
// and no default route is anybody's.
func TestNetworksOfRoles(t *testing.T) {
	p := netip.MustParsePrefix
	s := &state{
		names: map[int]string{1: "lo", 2: "br-lan", 3: "wan0", 4: "other"},
		addresses: []entry{
			{2, p("192.168.1.1/24")},
			{2, p("2001:db8:1::1/64")},
			{2, p("fe80::1/64")},
			{3, p("203.0.113.7/24")},
			{3, p("2001:db8:ffff::2/64")},
			{4, p("198.51.100.1/24")},
			{1, p("127.0.0.1/8")},
		},
		routes: []entry{
			{2, p("192.168.1.0/24")},
			{2, p("192.168.1.64/26")},
			{2, p("100.64.0.0/10")},
			{2, p("2001:db8:2::/56")},
			{2, p("0.0.0.0/1")},
			{2, p("2000::/3")},
			{2, p("fe80::/64")},
			{2, p("ff00::/8")},
			{3, p("198.51.100.0/24")},
			{4, p("192.0.2.0/24")},
		},
	}
	var got []string
	for _, n := range s.networks(map[string]string{"br-lan": artifact.RoleLAN, "wan0": artifact.RoleWAN}) {
		got = append(got, n.String())
	}
	want := []string{"100.64.0.0/10", "192.168.1.0/24", "203.0.113.7/32", "2001:db8:2::/56", "2001:db8:1::/64", "2001:db8:ffff::2/128"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestNetworksAreBounded: a full table of routes does not become a list to walk.
func TestNetworksAreBounded(t *testing.T) {
	s := &state{names: map[int]string{2: "lan"}}
	for i := range 1000 {
		s.routes = append(s.routes, entry{2, netip.PrefixFrom(netip.AddrFrom4([4]byte{20, byte(i >> 8), byte(i), 0}), 24)})
	}
	if n := len(s.networks(map[string]string{"lan": artifact.RoleLAN})); n != Most {
		t.Errorf("%d networks, want %d", n, Most)
	}
}
