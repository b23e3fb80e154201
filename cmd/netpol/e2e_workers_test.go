package main

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// spreadPolicy spreads connections over groups.
func spreadPolicy(groups int, more string) string {
	return fmt.Sprintf("netpol {\n  log_groups = %d\n}\n%s%s", groups, zoomPolicy, more)
}

// logged are the packets that each rule of the copying chain has logged.
func (s *site) logged() (counts []uint64) {
	s.t.Helper()
	for line := range strings.Lines(s.ns.Run("nft", "list", "chain", "inet", "netpol", "np_capture_pre_open")) {
		_, counted, ok := strings.Cut(line, "counter packets ")
		var n uint64
		if _, err := fmt.Sscan(counted, &n); ok && err == nil {
			counts = append(counts, n)
		}
	}
	return counts
}

// TestConnectionsAreSpreadOverWorkers: the kernel spreads translated connections
// over four groups, two workers read them, and each connection is named, whichever
// of them sees it. What is held is read with its queue. A later bundle may have
// other groups.
func TestConnectionsAreSpreadOverWorkers(t *testing.T) {
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.installEnforcer()
	serveTLS(t, lab.Server)
	s.ns.Run("nft", "add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; }; add rule ip nat post oifname "+kerneltest.ServerDevice+" masquerade random")
	held := `policy "skype" {
  criteria = "app == 'skype'"
  label    = "skype"
  hold     = true
}
`
	s.write("policies/zoom.netpol.hcl", spreadPolicy(4, ""))
	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.wantText(s.netpol(0, "apply", "--auto-approve", s.policies), "No changes.")
	s.startEnforcer("--workers", "2")

	named := func(what string, server netip.Addr, ports []netip.AddrPort) {
		t.Helper()
		zoom := s.bit("zoom")
		s.eventually(what, func() bool {
			n := 0
			for _, at := range ports {
				if c := s.conn(at, server); c.Has(zoom) && c.Mark&doneMark != 0 {
					n++
				}
			}
			return n == len(ports)
		})
	}
	dial := func(n int) (ports []netip.AddrPort) {
		for range n {
			ports = append(ports, dialTLS(t, lab.Client, lab.ServerAddr4, "us04web.zoom.us"))
		}
		return ports
	}
	named("forty connections are named", lab.ServerAddr4, dial(40))
	counts := s.logged()
	if len(counts) != 8 {
		t.Fatalf("%d rules copy packets, want 2 for each of 4 groups", len(counts))
	}
	for i, n := range counts {
		if n == 0 {
			t.Errorf("rule %d of the groups has logged nothing: %v", i, counts)
		}
	}
	stats := s.netpol(0, "show", "--json")
	for _, want := range []string{`"capture_lost":0`, `"unresolved":0`} {
		if !strings.Contains(stats, want) {
			t.Errorf("netpol show --json lacks %s", want)
		}
	}

	s.write("policies/zoom.netpol.hcl", spreadPolicy(4, held))
	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.awake()
	named("connections are named that wait", lab.ServerAddr4, dial(10))
	s.write("policies/zoom.netpol.hcl", spreadPolicy(1, ""))
	s.netpol(0, "apply", "--auto-approve", s.policies)
	named("connections are named by one worker", lab.ServerAddr4, dial(10))
}
