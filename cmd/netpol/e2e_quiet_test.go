package main

import (
	"crypto/tls"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// quietPolicies have a label with an effect and one without.
const quietPolicies = `
policy "zoom" {
  criteria = "hostname == 'zoom.us'"
  label    = "zoom"
  dscp     = "cs5"
}
policy "office" {
  criteria = "hostname == 'www.example.org'"
  label    = "office"
  OFFICE
}
policy "other" {
  criteria = "hostname == 'OTHER'"
  label    = "other"
  dscp     = "cs1"
}
`

// TestQuietConnections: a decided connection has the quiet mark as long as it carries
// no label that a rule asks for, through an apply, a restart and a destroy.
func TestQuietConnections(t *testing.T) {
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.installEnforcer()
	serveTLS(t, lab.Server)
	lab.Server.Run("nft", "table inet seen { chain c { type filter hook input priority 0; ip dscp cs5 counter; ip dscp ef counter; ip dscp cs1 counter; }; }")
	first := s.startEnforcer()
	apply := func(office, other string) {
		t.Helper()
		s.write("policies/zoom.netpol.hcl", strings.NewReplacer("OFFICE", office, "OTHER", other).Replace(quietPolicies))
		s.netpol(0, "apply", "--auto-approve", s.policies)
	}
	apply("", "nobody.example")
	zoom, office, other := openTLS(t, lab.Client, lab.ServerAddr4, "zoom.us"), openTLS(t, lab.Client, lab.ServerAddr4, "www.example.org"), openTLS(t, lab.Client, lab.ServerAddr4, "www.example.net")
	has := func(c *tls.Conn, label string) bool { e := s.entryOf(c); return e.Has(s.bit(label)) }
	s.eventually("all are decided", func() bool {
		return s.entryOf(zoom).Mark&doneMark != 0 && s.entryOf(office).Mark&doneMark != 0 && s.entryOf(other).Mark&doneMark != 0
	})
	quiet := func(c *tls.Conn) bool { return s.entryOf(c).Mark&quietMark != 0 }
	if quiet(zoom) || !quiet(office) || !quiet(other) || !has(zoom, "zoom") || !has(office, "office") {
		t.Errorf("zoom %+v, office %+v, other %+v", s.entryOf(zoom), s.entryOf(office), s.entryOf(other))
	}

	// Without netpold one gets the mark that must not have it, and loses it that may:
	// the next netpold puts both right.
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.cmd.Wait()
	s.setMark(zoom, quietMark, quietMark)
	s.setMark(other, 0, quietMark)
	s.startEnforcer()
	s.eventually("the marks are put right", func() bool { return !quiet(zoom) && quiet(office) && quiet(other) })

	// A label that has an effect now, and a connection that matches now. What an
	// earlier netpold named would match by its headers alone.
	other = openTLS(t, lab.Client, lab.ServerAddr4, "www.example.net")
	s.eventually("it is decided", func() bool { return quiet(other) })
	apply(`dscp = "ef"`, "www.example.net")
	s.eventually("both are heard", func() bool { return !quiet(office) && !quiet(other) && has(other, "other") })
	for _, c := range []*tls.Conn{zoom, office, other} {
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	for _, code := range []string{"cs5", "ef", "cs1"} {
		s.eventually("packets with "+code, func() bool { return seenAt(lab.Server, code) != "0" })
	}

	// And back. Those that have ended meanwhile stay decided.
	apply("", "nobody.example")
	again := openTLS(t, lab.Client, lab.ServerAddr4, "www.example.org")
	s.eventually("office is quiet again", func() bool { return quiet(again) && has(again, "office") })
	s.netpol(0, "destroy", "--auto-approve")
	if e := s.entryOf(again); e.Mark != 0 {
		t.Errorf("after destroy: %+v", e)
	}
}

// TestKernelDecidesDimensions: of connections that the kernel decides alone those have no quiet
// mark that rules are to act on, in whichever dimension, beside a policy that needs netpold.
func TestKernelDecidesDimensions(t *testing.T) {
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.write("policies/zoom.netpol.hcl", `
policy "zoom" {
  criteria = "dst_port == 443 && hostname == 'zoom.us'"
  dscp     = "cs5"
}
policy "bulk" {
  criteria = "dst_port == 7000"
  dscp     = "cs1"
}
policy "urgent" {
  criteria = "dst_port == 7003"
  priority = "1:10"
}
policy "closed" {
  criteria = "dst_port == 7001"
  verdict  = "drop"
}
`)
	s.netpol(0, "apply", "--auto-approve", s.policies)
	lab.Server.Run("nft", "table inet seen { chain c { type filter hook input priority 0; udp dport 7000 ip dscp cs1 counter; udp dport 7001 counter; udp dport 7002 counter; }; }")
	lab.Router.Run("nft", "table inet watch { chain c { type filter hook postrouting priority 300; udp dport 7003 meta priority 1:10 counter; }; }")
	const packets = 3 // of each
	for _, port := range []uint16{7000, 7001, 7003, 7002} {
		lab.Client.Do(func() {
			conn, err := net.ListenUDP("udp4", nil) // without a peer, so that no answer of ICMP is its error
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			for range packets {
				if _, err := conn.WriteToUDPAddrPort([]byte("x"), netip.AddrPortFrom(lab.ServerAddr4, port)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	count := func(ns *kerneltest.NS, table, rule string) string {
		_, rest, _ := strings.Cut(ns.Run("nft", "list", "table", "inet", table), rule+" counter packets ")
		n, _, _ := strings.Cut(rest, " ")
		return n
	}
	s.eventually("what no policy asks for has arrived", func() bool { return count(lab.Server, "seen", "udp dport 7002") == "3" })
	for _, tt := range []struct {
		ns                *kerneltest.NS
		table, rule, want string
	}{
		{lab.Server, "seen", "udp dport 7000 ip dscp cs1", "3"},
		{lab.Router, "watch", "udp dport 7003 meta priority 1:10", "3"},
		{lab.Server, "seen", "udp dport 7001", "0"},
	} {
		if got := count(tt.ns, tt.table, tt.rule); got != tt.want {
			t.Errorf("%s: got %s packets, want %s", tt.rule, got, tt.want)
		}
	}
}

// entryOf is what conntrack knows of a connection to the lab's server.
func (s *site) entryOf(c *tls.Conn) ct.Conn {
	s.t.Helper()
	return s.conn(c.LocalAddr().(*net.TCPAddr).AddrPort(), c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr())
}

// setMark writes bits of a connection's mark, as others may.
func (s *site) setMark(c *tls.Conn, value, mask uint32) {
	s.t.Helper()
	e := s.entryOf(c)
	var err error
	s.ns.Do(func() {
		var w *ct.Writer
		if w, err = ct.NewWriter(); err == nil {
			err = w.Write(flow.Update{Tuple: e.Orig, Mark: value, MarkMask: mask})
			_ = w.Close()
		}
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// seenAt is how many packets with a code point came in.
func seenAt(ns *kerneltest.NS, code string) string {
	_, rest, _ := strings.Cut(ns.Run("nft", "list", "table", "inet", "seen"), "ip dscp "+code+" counter packets ")
	count, _, _ := strings.Cut(rest, " ")
	return count
}
