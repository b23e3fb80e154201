package router

import (
	"net/netip"
	"testing"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// TestConnectionsOfTheLastMomentDoNotLie: going back gives a bit to another label,
// and the old rules set it on connections that open between its clearing and the
// commit.
func TestConnectionsOfTheLastMomentDoNotLie(t *testing.T) {
	lab := kerneltest.NewLab(t)
	older := compiled(t, "policy \"p\" {\n  criteria = \"dst_port == 7002\"\n  label    = \"before\"\n}\n")
	old, r := enforceOn(t, lab, "policy \"p\" {\n  criteria = \"dst_port == 7001\"\n  label    = \"after\"\n}\n")
	bit := bitOf(t, older, "before")
	if got := bitOf(t, old, "after"); got != bit {
		t.Fatalf("the labels have bits %d and %d: nothing is renumbered", bit, got)
	}
	open := func(port uint16) { newTalker(t, lab.Client, netip.AddrPortFrom(lab.ServerAddr4, port)).say(false) }
	carries := func(port uint16) bool {
		e := entryTo(t, port)
		return e.Has(bit)
	}
	r.stopAt = func(step string) {
		if step == "commit" {
			open(7001)
			if !carries(7001) {
				t.Error("the old rules set no label: there is no window to close")
			}
		}
	}
	change(t, r, older, Meta{Operation: OpRollback})
	if carries(7001) {
		t.Error("a connection that the old rules labelled carries what is another label now")
	}
	if open(7002); !carries(7002) {
		t.Error("the new rules set no label")
	}
}
