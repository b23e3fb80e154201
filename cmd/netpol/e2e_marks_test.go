package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// strangersMarks uses bits of connections, of packets and a label of its own: what
// netpol writes must leave them as they are.
const strangersMarks = `
table inet mine {
	chain first {
		type filter hook prerouting priority -155; policy accept;
		ct mark set ct mark and 0xfffffff0 or 0x3
		ct label set 7
		meta mark set meta mark and 0xfffffff0 or 0x5
	}
	chain last {
		type filter hook postrouting priority 300; policy accept;
		ct mark and 0xf == 0x3 ct label 7 meta mark and 0xf == 0x5 counter
		meta l4proto tcp counter
	}
	chain routed {
		type filter hook forward priority 20; policy accept;
		meta mark and 0xf0f == 0x105 counter
	}
}
`

// TestStrangersBitsStay: several labels, masked marks and routes of policies that
// the kernel decides and of those that netpold does, beside another's.
func TestStrangersBitsStay(t *testing.T) {
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.installEnforcer()
	serveTLS(t, lab.Server)
	lab.Router.Run("ip", "route", "add", "default", "via", lab.ServerAddr4.String(), "table", "100")
	s.write("policies/zoom.netpol.hcl", `netpol {
  route_mark = "0xf00"
}
policy "web" {
  criteria = "dst_port == 443"
  labels   = ["web", "tls"]
  mark     = "0x10/0x30"
  route    = 100
}
policy "zoom" {
  criteria = "app == 'zoom'"
  labels   = ["calls", "video", "tls"]
  mark     = "0x40/0xc0"
}
`)
	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.write("mine.nft", strangersMarks)
	lab.Router.Run("nft", "-f", s.path("mine.nft"))
	s.startEnforcer()
	local := dialTLS(t, lab.Client, lab.ServerAddr4, "zoom.us")
	var c ct.Conn
	s.eventually("zoom is decided", func() bool {
		c = s.conn(local, lab.ServerAddr4)
		return c.Has(s.bit("calls")) && c.Mark&doneMark != 0
	})
	for _, label := range []string{"web", "tls", "calls", "video", "corporate"} {
		if !c.Has(s.bit(label)) {
			t.Errorf("the connection lacks label %s: %x", label, c.Labels)
		}
	}
	if want := uint32(doneMark | 0x40 | 0x10 | 0x3); c.Mark != want {
		t.Errorf("mark %#x, want %#x", c.Mark, want)
	}
	s.wantText(lab.Router.Run("ip", "rule"), "fwmark 0x100/0xf00 lookup 100 proto 110")
	s.wantText(lab.Router.Run("nft", "list", "table", "inet", "netpol"), "meta mark set meta mark & 0xfffff1ff | 0x00000100")
	all, kept := s.counted("last")
	if all == 0 || all != kept {
		t.Errorf("of %d packets %d kept the stranger's bits", all, kept)
	}
	if routed, _ := s.counted("routed"); routed == 0 {
		t.Error("no packet had the route's mark beside the stranger's")
	}
	s.wantText(s.netpol(0, "apply", "--auto-approve", s.policies), "No changes.")

	// Without the policies their bits go, netpold's and the stranger's stay.
	s.write("policies/zoom.netpol.hcl", "policy \"other\" {\n  criteria = \"dst_port == 7003\"\n  mark     = \"0x5\"\n}\n")
	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.eventually("the policies' marks are gone", func() bool { return s.conn(local, lab.ServerAddr4).Mark == doneMark|0x3 })
	if c := s.conn(local, lab.ServerAddr4); !c.Has(s.bit("corporate")) || len(bits(c.Labels)) != 1 {
		t.Errorf("labels %v, want the stranger's alone", bits(c.Labels))
	}
	// A mark of all bits that was another connection's says nothing of this one.
	s.write("policies/zoom.netpol.hcl", "policy \"other\" {\n  criteria = \"dst_port == 7003\"\n  label    = \"other\"\n}\n")
	s.netpol(0, "apply", "--auto-approve", s.policies)
	if c := s.conn(local, lab.ServerAddr4); c.Mark&0xff != 0x3 {
		t.Errorf("mark %#x, want the stranger's 0x3", c.Mark)
	}
}

// bits are the label bits that are set.
func bits(labels [16]byte) (out []int) {
	for bit := range 128 {
		if labels[bit/8]&(1<<(bit%8)) != 0 {
			out = append(out, bit)
		}
	}
	return out
}

// counted are the packets of the last counter and of the first of a chain of the
// stranger's.
func (s *site) counted(chain string) (last, first int) {
	s.t.Helper()
	var got []int
	for line := range strings.Lines(s.ns.Run("nft", "list", "chain", "inet", "mine", chain)) {
		if _, counter, ok := strings.Cut(line, "counter packets "); ok {
			var n int
			_, _ = fmt.Sscan(counter, &n)
			got = append(got, n)
		}
	}
	if len(got) == 0 {
		s.t.Fatalf("%s has no counter", chain)
	}
	return got[len(got)-1], got[0]
}
