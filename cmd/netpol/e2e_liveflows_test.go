package main

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// TestApplyDecidesLiveFlowsAnew: connections that netpold never saw, because no
// policy asked more of them than headers, follow an apply as well.
func TestApplyDecidesLiveFlowsAnew(t *testing.T) {
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.installEnforcer()
	policies := func(port int, more string) {
		s.write("policies/zoom.netpol.hcl", fmt.Sprintf(`policy "some" {
  criteria = "dst_port == %d"
  label    = "some"
  mark     = "0x100/0xf00"
}
policy "lots" {
  criteria = "dst_port == 7010"
  label    = "lots"
}
policy "elsewhere" {
  criteria = "local_ip in '10.99.0.0/16' and app == 'zoom'"
  label    = "zoom"
}
`, port)+more)
		s.netpol(0, "apply", "--auto-approve", s.policies)
	}
	policies(7003, `policy "much" {
  criteria = "total_bytes > 300"
  label    = "lots"
}
`)
	s.echo(lab, 7003)
	s.echo(lab, 7010)
	const each = 50
	before, other := s.flows(lab, 7003, each), s.flows(lab, 7010, each)
	s.startEnforcer()
	later := s.flows(lab, 7003, each)
	for range 10 {
		s.answered(later)
	}
	lots, some := s.bit("lots"), s.bit("some")
	if got := s.carry(some); got != 2*each {
		t.Fatalf("%d connections carry the label of their port, want %d", got, 2*each)
	}
	if got := s.carry(lots); got != 2*each {
		t.Fatalf("%d connections carry the label of many bytes, want %d", got, 2*each)
	}

	// The port's label goes over to other connections, and what bytes have set is
	// taken back: the label's only policy left is decided once.
	policies(7010, "")
	s.eventually("the labels have gone over", func() bool { return s.carry(some) == each && s.carry(lots) == each })
	for _, c := range [][]net.Conn{before, later} {
		if s.marked(c[0]) != 0 {
			t.Error("a connection keeps the mark of the port that it is not to")
		}
	}
	if got := s.marked(other[0]); got != 0x100 {
		t.Errorf("mark %#x, want 0x100", got)
	}
	s.answered(before)
	s.wantText(s.netpol(0, "apply", "--auto-approve", s.policies), "No changes.")

	// What a stranger has written is put right with the next reload.
	s.mark(before[0], some)
	policies(7010, "policy \"more\" {\n  criteria = \"dst_port == 7020\"\n  label    = \"more\"\n}\n")
	s.eventually("a stranger's label is gone", func() bool { return s.carry(some) == each })
	s.wantText(s.netpol(0, "show"), "corrected ")
}

// TestConnectionsOlderThanLabels are counted, shown and logged with the way out.
func TestConnectionsOlderThanLabels(t *testing.T) {
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.installEnforcer()
	s.ns.Run("nft", "add table inet count; add chain inet count c { type filter hook forward priority 5; }; add rule inet count c ct state new counter")
	s.echo(lab, 7003)
	flows := s.flows(lab, 7003, 20) // conntrack has them, and no rule sets a label yet
	s.write("policies/zoom.netpol.hcl", `policy "port" {
  criteria = "dst_port == 7003"
  label    = "port"
}
policy "zoom" {
  criteria = "app == 'zoom'"
  label    = "zoom"
}
`)
	s.netpol(0, "apply", "--auto-approve", s.policies)
	netpold := s.startEnforcer()
	s.answered(flows)
	s.eventually("they are counted", func() bool { return strings.Contains(s.netpol(0, "show"), "unlabelable") })
	s.eventually("and logged", func() bool { return strings.Contains(netpold.log.String(), "older than") })
}
