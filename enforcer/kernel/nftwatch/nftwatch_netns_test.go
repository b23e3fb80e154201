//go:build linux

package nftwatch

import (
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// patience is a guard against hanging: the kernel announces within the command.
const patience = time.Minute

func TestWhoChangedTheTable(t *testing.T) {
	ns := kerneltest.NewNS(t)
	w, err := Open(Target{Family: "inet", Table: "netpol"})
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

func TestWhatSetsLost(t *testing.T) {
	ns := kerneltest.NewNS(t)
	w, err := Open(Target{Family: "inet", Table: "netpol"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	if err := w.Watch(Target{Family: "inet", Table: "netpol"}, Target{Family: "ip", Table: "fw", Sets: []string{"a", "b"}}); err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		name, command string
		want          string // sets of fw that lost something
		removed       bool
	}{
		{"an element", "delete element ip fw a { 1.1.1.1 }", "a", false},
		{"a flush", "flush set ip fw b", "b", false},
		{"both in one", "delete element ip fw a { 1.1.1.1 }; flush set ip fw b", "a b", false},
		{"a set made anew", "delete set ip fw a; add set ip fw a { type ipv4_addr; }", "a", false},
		{"a set", "delete set ip fw a", "a", false},
		{"all", "flush ruleset", "a b", true},
	}
	for _, s := range steps {
		ns.Run("nft", "add table ip fw; add chain ip fw c; add set ip fw a { type ipv4_addr; }; add set ip fw b { type ipv4_addr; }; add set ip fw other { type ipv4_addr; }")
		ns.Run("nft", "add element ip fw a { 1.1.1.1, 2.2.2.2 }; add element ip fw b { 1.1.1.1 }; add element ip fw other { 1.1.1.1 }; flush set ip fw other; add rule ip fw c accept")
		for made := true; made; { // that they were made is a change, too
			if _, made, err = w.Next(0); err != nil {
				t.Fatal(err)
			}
		}
		ns.Run("nft", s.command)
		c, ok, err := w.Next(patience)
		if err != nil || !ok || c.Table != "fw" || c.Family != "ip" || c.Process != "nft" || c.Removed != s.removed || strings.Join(c.Sets, " ") != s.want {
			t.Errorf("%s: got %+v %v %v, want sets %q, removed %v", s.name, c, ok, err, s.want, s.removed)
		}
	}
	if c, ok, err := w.Next(0); ok || err != nil {
		t.Errorf("got %+v %v, want nothing more", c, err)
	}
	if err := w.Watch(Target{Family: "arp", Table: "x"}); err == nil {
		t.Error("a family that has no sets of flows was taken")
	}
}

// TestWatcherIsWoken: Wake ends a wait that has begun, and the next one, once each.
func TestWatcherIsWoken(t *testing.T) {
	ns := kerneltest.NewNS(t)
	ns.Enter()
	w, err := Open(Target{Family: "inet", Table: "netpol"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, after := range []time.Duration{0, 20 * time.Millisecond} {
		if after == 0 {
			w.Wake()
		} else {
			time.AfterFunc(after, w.Wake)
		}
		began := time.Now()
		if c, ok, err := w.Next(time.Minute); ok || err != nil || time.Since(began) > 30*time.Second {
			t.Errorf("woken after %v: %+v %v %v, %v later", after, c, ok, err, time.Since(began))
		}
		const rest = 50 * time.Millisecond
		began = time.Now()
		if c, ok, err := w.Next(rest); ok || err != nil || time.Since(began) < rest {
			t.Errorf("the wait after it: %+v %v %v, %v later", c, ok, err, time.Since(began))
		}
	}
}
