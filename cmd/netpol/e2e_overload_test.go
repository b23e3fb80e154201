package main

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// TestOverload: netpold tracks two flows and is shown eight, which all wait in
// the middle of their hello. Those that it gives up are judged by on_overload.
func TestOverload(t *testing.T) {
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.installEnforcer()
	serveTLS(t, lab.Server)
	policy := func(outcome string) {
		s.write("policies/zoom.netpol.hcl", `policy "no-zoom" {
  criteria    = "app == 'zoom'"
  verdict     = "drop"
  on_overload = "`+outcome+`"
}
`)
	}
	policy("closed")
	s.wantText(s.netpol(0, "apply", "--auto-approve", s.policies), "drop, closed on overload")
	netpold := s.startEnforcer("--max-flows", "2")
	server := lab.ServerAddr4

	var halves []net.Conn
	for range 8 {
		halves = append(halves, sayHalf(t, lab, server))
	}
	shed := s.bit("np-shed")
	s.eventually("six connections are given up", func() bool {
		n := 0
		for _, h := range halves {
			if c := s.conn(h.LocalAddr().(*net.TCPAddr).AddrPort(), server); c.Has(shed) && c.Mark&doneMark != 0 {
				n++
			}
		}
		return n >= 6
	})
	s.eventually("their packets are stopped and counted", func() bool {
		_, _ = halves[0].Write([]byte{0})
		return s.stopped() > 0
	})
	s.wantText(s.netpol(0, "show"), "shed ")

	policy("open")
	s.netpol(0, "apply", "--auto-approve", s.policies)
	if _, err := halves[0].Write([]byte{0}); err != nil || s.stopped() > 0 {
		t.Errorf("packets are stopped although on_overload is open: %v", err)
	}
	s.wantText(s.netpol(0, "apply", "--auto-approve", s.policies), "No changes.")
	if err := netpold.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = netpold.cmd.Wait()
	s.wantText(netpold.log.String(), "connections were given up without a name, for lack of room", "raise --max-flows of netpold")
}

// stopped is how many packets the rules on verdicts have dropped.
func (s *site) stopped() (packets uint64) {
	s.t.Helper()
	for line := range strings.Lines(s.ns.Run("nft", "list", "table", "inet", "netpol")) {
		_, counted, _ := strings.Cut(line, "counter packets ")
		var n uint64
		if _, err := fmt.Sscan(counted, &n); err == nil && strings.Contains(line, " drop ") {
			packets += n
		}
	}
	return packets
}

// sayHalf opens a connection and sends the beginning of a TLS hello.
func sayHalf(t *testing.T, lab *kerneltest.Lab, server netip.Addr) net.Conn {
	t.Helper()
	var conn net.Conn
	var err error
	lab.Client.Do(func() {
		conn, err = net.DialTimeout("tcp", netip.AddrPortFrom(server, 443).String(), patience)
	})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := conn.Write([]byte{22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3}); err != nil {
		t.Fatal(err)
	}
	return conn
}
