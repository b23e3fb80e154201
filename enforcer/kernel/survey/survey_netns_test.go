//go:build linux

package survey

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

func TestLook(t *testing.T) {
	ns := kerneltest.NewNS(t)
	bare, err := Look()
	if err != nil {
		t.Fatal(err)
	}
	if len(bare.Chains)+len(bare.Flowtables)+len(bare.Marks) != 0 {
		t.Errorf("a bare namespace has %+v", bare)
	}
	ns.Run("nft", "add table ip filter; add chain ip filter KUBE-MARK-MASQ; add table inet fw4; add chain inet fw4 mangle_forward")
	ns.Run("ip", "rule", "add", "fwmark", "0x100/0x3f00", "lookup", "100", "priority", "2001")
	ns.Run("ip", "-6", "rule", "add", "fwmark", "0xca6c", "lookup", "200", "priority", "3000")
	got, err := Look()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []Chain{{"ip", "filter", "KUBE-MARK-MASQ"}, {"inet", "fw4", "mangle_forward"}} {
		if !slices.Contains(got.Chains, want) {
			t.Errorf("chains %+v lack %+v", got.Chains, want)
		}
	}
	for _, want := range []MarkRule{
		{Family: "ip", Priority: 2001, Mark: 0x100, Mask: 0x3f00, Table: 100},
		{Family: "ip6", Priority: 3000, Mark: 0xca6c, Mask: 0xffffffff, Table: 200},
	} {
		if !slices.Contains(got.Marks, want) {
			t.Errorf("rules %+v lack %+v", got.Marks, want)
		}
	}
}

func TestNetworkAndQueues(t *testing.T) {
	ns := kerneltest.NewNS(t)
	for _, args := range [][]string{
		{"ip", "link", "add", "lan0", "type", "veth", "peer", "name", "wan0"},
		{"ip", "link", "set", "lan0", "up"},
		{"ip", "link", "set", "wan0", "up"},
		{"ip", "addr", "add", "192.168.1.1/24", "dev", "lan0"},
		{"ip", "addr", "add", "fd00:1::1/64", "dev", "lan0", "nodad"},
		{"ip", "addr", "add", "198.51.100.2/24", "dev", "wan0"},
		{"ip", "route", "add", "default", "via", "198.51.100.1"},
		{"ip", "route", "add", "10.9.0.0/16", "via", "192.168.1.254"},
		{"tc", "qdisc", "add", "dev", "lan0", "root", "handle", "1:", "htb", "default", "30"},
		{"tc", "class", "add", "dev", "lan0", "parent", "1:", "classid", "1:1a", "htb", "rate", "8mbit"},
	} {
		ns.Run(args[0], args[1:]...)
	}
	got, err := Network()
	if err != nil {
		t.Fatal(err)
	}
	want := []Interface{
		{Name: "lan0", Networks: prefixes("192.168.1.0/24", "fd00:1::/64"), Routed: prefixes("10.9.0.0/16")},
		{Name: "wan0", Networks: prefixes("198.51.100.0/24"), Default: true},
	}
	if !slices.EqualFunc(got, want, func(a, b Interface) bool {
		return a.Name == b.Name && a.Default == b.Default && slices.Equal(a.Networks, b.Networks) && slices.Equal(a.Routed, b.Routed)
	}) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	classes, filters, err := Queues()
	if err != nil || len(filters) != 0 || !slices.Contains(classes, Class{"lan0", "htb", "1:1a", 1_000_000}) {
		t.Errorf("got %+v, %+v, %v", classes, filters, err)
	}
}

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range list {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

// What rules do with the connection mark is found, whoever wrote them.
func TestMarkUses(t *testing.T) {
	ns := kerneltest.NewNS(t)
	ns.Run("nft", `table inet mine {
		chain reads { ct mark & 0xff == 0x1 accept; ct mark & 0xf00 != 0x100 drop; }
		chain writes { ct mark set ct mark & 0xffffff00 | 0x00000003; }
		chain whole { ct mark 0x10 accept; ct mark set 0x7; }
		chain other { meta mark 0x1 accept; ct state new accept; }
	}`)
	ns.Run("iptables-nft", "-t", "mangle", "-A", "FORWARD", "-m", "connmark", "--mark", "0x1000/0xf000", "-j", "CONNMARK", "--set-xmark", "0x0/0x30000")
	ns.Run("iptables-nft", "-t", "mangle", "-A", "PREROUTING", "-j", "CONNMARK", "--restore-mark", "--mask", "0xff00000")
	ns.Run("iptables-nft", "-t", "mangle", "-A", "OUTPUT", "-j", "CONNMARK", "--save-mark")
	got, err := Look()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []MarkUse{
		{"inet", "mine", "reads", 0xfff, 0},
		{"inet", "mine", "writes", 0, 0xff},
		{"inet", "mine", "whole", 0xffffffff, 0xffffffff},
		{"ip", "mangle", "FORWARD", 0xf000, 0x30000},
		{"ip", "mangle", "PREROUTING", 0xff00000, 0},
		{"ip", "mangle", "OUTPUT", 0, 0xffffffff},
	} {
		if !slices.Contains(got.MarkUses, want) {
			t.Errorf("%+v lacks %+v", got.MarkUses, want)
		}
	}
	if len(got.MarkUses) != 6 {
		t.Errorf("%d chains: %+v", len(got.MarkUses), got.MarkUses)
	}
}

// Rules that leave packets untracked are found, whichever program wrote them.
func TestUntracking(t *testing.T) {
	ns := kerneltest.NewNS(t)
	ns.Run("nft", `table inet mine {
		chain early { type filter hook prerouting priority raw; udp dport 53 notrack; udp dport 123 notrack; }
		chain other { ct state untracked accept; }
	}`)
	ns.Run("iptables-nft", "-t", "raw", "-A", "PREROUTING", "-p", "udp", "-j", "CT", "--notrack")
	ns.Run("iptables-nft", "-t", "raw", "-A", "OUTPUT", "-p", "udp", "-j", "CT", "--zone", "3")
	got, err := Look()
	if err != nil {
		t.Fatal(err)
	}
	want := []Chain{{"inet", "mine", "early"}, {"ip", "raw", "PREROUTING"}}
	for _, c := range want {
		if !slices.Contains(got.Untracking, c) {
			t.Errorf("%+v lacks %+v", got.Untracking, c)
		}
	}
	if len(got.Untracking) != len(want) {
		t.Errorf("got %+v, want %+v", got.Untracking, want)
	}
}
