//go:build linux

package nftwatch

import (
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// patience is a guard against hanging: the kernel announces within the command.
const patience = time.Minute

func TestWhoChangedTheTable(t *testing.T) {
	ns := kerneltest.NewNS(t)
	w, err := Open("inet", "netpol")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	steps := []struct {
		name, command string
		removed       bool
	}{
		{"made", "add table inet netpol; add chain inet netpol c", false},
		{"a rule", "add rule inet netpol c accept", false},
		{"replaced", "add table inet netpol; delete table inet netpol; add table inet netpol", false},
		{"flushed", "flush ruleset", true},
		{"made again", "add table inet netpol", false},
		{"deleted", "delete table inet netpol", true},
	}
	for _, s := range steps {
		ns.Run("nft", "add table inet other; add table ip netpol; delete table ip netpol") // nobody's business
		ns.Run("nft", s.command)
		c, ok, err := w.Next(patience)
		if err != nil || !ok {
			t.Fatalf("%s: got %v %v, want a change", s.name, ok, err)
		}
		if c.Process != "nft" || c.PID == 0 || c.Removed != s.removed || c.Lost || c.Messages == 0 {
			t.Errorf("%s: got %+v, want one by nft, removed %v", s.name, c, s.removed)
		}
		if there, err := Present("inet", "netpol"); err != nil || there == s.removed {
			t.Errorf("%s: present %v %v", s.name, there, err)
		}
	}
	if c, ok, err := w.Next(0); ok || err != nil {
		t.Errorf("got %+v %v, want nothing more", c, err)
	}
}
