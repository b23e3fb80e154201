package router

import (
	"net/netip"
	"testing"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/lang"
)

// plainPolicies are a label without an effect, whose block is left open, beside two that have one.
const plainPolicies = `
policy "calls" {
  criteria = "local_ip == '10.9.9.9' && hostname == 'zoom.us'"
  dscp     = "cs5"
}
policy "port" {
  criteria = "dst_port == 7001"
  dscp     = "cs1"
}
policy "plain" {
  criteria = "dst_port in 7001..7002"
  label    = "plain"
`

// The kernel gives the quiet mark to connections that netpold need not see and that
// no rule acts on, and packets of a connection that has it are not held against
// labels.
func TestQuietPacketsPassTheLabels(t *testing.T) {
	lab := kerneltest.NewLab(t)
	b, r := enforceOn(t, lab, plainPolicies+"}")
	done, mute := b.Settings.DoneMark, b.Settings.QuietMark
	watchCodePoints(lab)
	talk := func(port uint16) talker {
		at := netip.AddrPortFrom(lab.ServerAddr4, port)
		echo(t, lab.Server, at)
		k := newTalker(t, lab.Client, at)
		if !k.say(true) {
			t.Fatal("no answer from port", port)
		}
		return k
	}
	k, _, _ := talk(7001), talk(7002), talk(7003)
	for port, want := range map[uint16]uint32{7001: done, 7002: done | mute, 7003: done | mute} {
		if c := entryTo(t, port); c.Mark != want || c.Has(bitOf(t, b, "plain")) != (port < 7003) {
			t.Errorf("port %d: %+v, want mark %#x", port, c, want)
		}
	}
	if cs1 := seen(lab, "cs1"); cs1 != "1" {
		t.Errorf("%s packets with the code point of the label, want 1", cs1)
	}
	write := func(mark uint32) {
		w, err := ct.NewWriter()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = w.Close() }()
		if err := w.Write(flow.Update{Tuple: entryTo(t, 7001).Orig, Mark: mark, MarkMask: mute}); err != nil {
			t.Fatal(err)
		}
	}
	write(mute)
	if k.say(true); seen(lab, "cs1") != "1" {
		t.Error("a packet with the quiet mark was held against a label")
	}
	write(0)
	if k.say(true); seen(lab, "cs1") != "2" {
		t.Error("without the mark it was not")
	}

	// A label that had no effect has one now, and its old connection is heard.
	before := read(t, r)
	b = compileFor(t, before, plainPolicies+`  priority = "1:1"
}`)
	unlock, err := r.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if err := r.Apply(b, before, quiet); err != nil {
		t.Fatal(err)
	}
	if err := before.ClearRetired(b, [16]byte{}, quiet); err != nil {
		t.Fatal(err)
	}
	for port, want := range map[uint16]uint32{7002: done, 7003: done | mute} {
		if c := entryTo(t, port); c.Mark != want {
			t.Errorf("after the apply, port %d: %+v, want mark %#x", port, c, want)
		}
	}
}

// compileFor compiles policies for a router as it is.
func compileFor(t *testing.T, live *Live, source string) *artifact.Bundle {
	t.Helper()
	p, diags := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte(source)}, lang.Options{})
	b, more := compiler.Compile(p, compiler.Options{Router: compiler.Router{Applied: live.Bundle.Labels}})
	if diags.Extend(more); diags.HasErrors() {
		t.Fatal(diags)
	}
	return b
}
