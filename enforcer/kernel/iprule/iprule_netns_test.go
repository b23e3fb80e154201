package iprule

import (
	"strings"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

func TestRulesComeAndGo(t *testing.T) {
	ns := kerneltest.NewNS(t)
	ns.Run("ip", "rule", "add", "fwmark", "0x1000000/0x7f000000", "lookup", "77", "priority", "4788")
	foreign := ns.Run("ip", "rule")
	want := Of([]artifact.Route{{Table: 100, Mark: artifact.RouteMark(0x7f000000, 0), Mask: 0x7f000000}, {Table: 4000000, Mark: artifact.RouteMark(0x7f000000, 1), Mask: 0x7f000000}})
	for range 2 { // the second finds them there
		if err := Add(want); err != nil {
			t.Fatal(err)
		}
	}
	if live, err := Read(); err != nil || len(live) != 4 || live[0] != want[0] || live[3] != want[3] {
		t.Fatalf("after Add: %v, %v, want %v", live, err, want)
	}
	for _, args := range [][]string{{"rule"}, {"-6", "rule"}} {
		if listing := ns.Run("ip", args...); !strings.Contains(listing, "4788:\tfrom all fwmark 0x1000000/0x7f000000 lookup 100 proto 110") {
			t.Errorf("ip %v:\n%s", args, listing)
		}
	}
	if err := Keep(want[:1]); err != nil {
		t.Fatal(err)
	}
	if live, err := Read(); err != nil || len(live) != 1 || live[0] != want[0] {
		t.Errorf("after Keep: %v, %v", live, err)
	}
	if err := Keep(nil); err != nil {
		t.Fatal(err)
	}
	if left := ns.Run("ip", "rule"); left != foreign {
		t.Errorf("others' rules: were\n%s\nare\n%s", foreign, left)
	}
}
