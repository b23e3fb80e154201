//go:build linux

package survey

import (
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
