package router

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/kernel/nft"
)

// captured is how many packets the rules have copied for the enforcer.
func captured(t *testing.T) uint64 {
	t.Helper()
	counts, err := nft.Counters("inet", "netpol", nil)
	if err != nil {
		t.Fatal(err)
	}
	var sum uint64
	for _, c := range counts {
		if strings.HasPrefix(c.ID, "capture-") {
			sum += c.Packets
		}
	}
	return sum
}

// Connections that no policy could match, whatever their application, are not
// copied to the enforcer.
func TestOnlyWhatMayMatchIsCaptured(t *testing.T) {
	lab := kerneltest.NewLab(t)
	b := enforce(t, lab, `
policy "calls" {
  criteria = "local_ip in ['192.168.77.0/24', 'fd77:1::/64'] && hostname == 'example.org' && dst_port != 7003"
  label    = "calls"
}
policy "web" {
  criteria = "dst_port in [7001, 7002, 7003]"
  label    = "web"
}
`)
	cases := []struct {
		name     string
		at       netip.Addr
		port     uint16
		captured bool
	}{
		{"within", lab.ServerAddr4, 7001, true},
		{"another port", lab.ServerAddr4, 7003, false},
		{"another network", lab.ServerAddr6, 7002, false},
	}
	for _, c := range cases { // no subtests: those would run in another namespace
		listen(t, lab.Server, netip.AddrPortFrom(c.at, c.port))
		before := captured(t)
		if err := dial(t, lab.Client, netip.AddrPortFrom(c.at, c.port)); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := captured(t) > before; got != c.captured {
			t.Errorf("%s: captured is %v, want %v", c.name, got, c.captured)
		}
		entry := entryTo(t, c.port)
		if done := entry.Mark&b.Settings.DoneMark != 0; done == c.captured {
			t.Errorf("%s: done mark is %v", c.name, done)
		}
		if !entry.Has(bitOf(t, b, "web")) {
			t.Errorf("%s: no label web", c.name)
		}
	}
}

// Thousands of policies are one look-up after the other, and say the same.
func TestManyPoliciesInTheKernel(t *testing.T) {
	lab := kerneltest.NewLab(t)
	var source strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&source, `
policy "p%d" {
  criteria = "src_ip in ['192.168.77.2', '10.%d.%d.1'] && dst_port in %d..%d"
  label    = "l%d"
}
policy "v%d" {
  criteria = "dst_port == %d && local_ip != '10.1.1.%d'"
  verdict  = "%s"
}`, i, i/250, i%250, 7000+i, 7001+i, i%4, i, 7000+i, i%250, []string{"accept", "reject"}[i%2])
	}
	b := enforce(t, lab, source.String())
	for port := uint16(7100); port < 7110; port++ {
		for _, at := range []netip.Addr{lab.ServerAddr4, lab.ServerAddr6} {
			listen(t, lab.Server, netip.AddrPortFrom(at, port))
			err := dial(t, lab.Client, netip.AddrPortFrom(at, port))
			if open := port%2 == 0; open != (err == nil) {
				t.Errorf("port %d of %s: %v", port, at, err)
			}
			if err != nil || at.Is6() {
				continue
			}
			entry := entryTo(t, port)
			for i := range 4 {
				want := i == int(port-7000)%4 || i == int(port-7001)%4
				if got := entry.Has(bitOf(t, b, fmt.Sprintf("l%d", i))); got != want {
					t.Errorf("port %d: label l%d is %v, want %v", port, i, got, want)
				}
			}
		}
	}
}
