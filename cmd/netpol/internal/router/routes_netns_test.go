package router

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/lang"
)

// TestRoutes sends one port by a table that leads nowhere.
func TestRoutes(t *testing.T) {
	lab := kerneltest.NewLab(t)
	lab.Router.Run("ip", "route", "add", "unreachable", "default", "table", "100")
	lab.Router.Run("ip", "rule", "add", "fwmark", "0x5", "lookup", "77", "priority", "4788")
	before := lab.Router.Run("ip", "rule")
	_, r := enforceOn(t, lab, `
policy "nowhere" {
  criteria = "dst_port == 7050"
  route    = 100
}
policy "later" {
  criteria = "dst_port == 7051 && src_bytes > 2000"
  route    = 100
}
`)
	for _, port := range []uint16{7050, 7051, 7052} {
		echo(t, lab.Server, netip.AddrPortFrom(lab.ServerAddr4, port))
	}
	at := func(port uint16) talker { return newTalker(t, lab.Client, netip.AddrPortFrom(lab.ServerAddr4, port)) }
	if at(7050).say(false) {
		t.Error("a packet of the policy goes by the main table")
	}
	if !at(7052).say(true) {
		t.Error("a packet of no policy does not go by the main table")
	}
	if k := at(7051); !k.say(true) || k.burst(2) != 0 {
		t.Error("the flow's packets do not change the table after 2,000 bytes")
	}
	if rules := lab.Router.Run("ip", "rule"); !strings.Contains(rules, "lookup 100 proto 110") {
		t.Errorf("no rule for the table:\n%s", rules)
	}
	// Somebody removes the rule: the next plan puts it back.
	lab.Router.Run("ip", "rule", "del", "fwmark", "0x1000000/0x7f000000")
	p, _ := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte("policy \"other\" {\n  criteria = \"dst_port == 1\"\n  label = \"x\"\n}\n")}, lang.Options{})
	live := read(t, r)
	b, diags := compiler.Compile(p, compiler.Options{Router: compiler.Router{Applied: live.Bundle.Labels}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if left := r.Diff(live, live.Bundle); len(left) != 1 || left[0].Kind != kindRoute {
		t.Errorf("plan after a rule was removed: %v", left)
	}
	if err := r.Apply(live.Bundle, live, quiet); err != nil {
		t.Fatal(err)
	}
	// A set that routes nothing leaves no rule behind.
	if err := r.Apply(b, read(t, r), quiet); err != nil {
		t.Fatal(err)
	}
	if after := lab.Router.Run("ip", "rule"); after != before {
		t.Errorf("rules before\n%s\nand after\n%s", before, after)
	}
}
