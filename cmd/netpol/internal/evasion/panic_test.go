package evasion

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/all"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/policies"
)

// broken is a dissector with a bug that a sender can reach.
type broken struct{ dissect.Dissector }

const trigger = "\x00\xff trigger"

func (b broken) Dissect(w *dissect.Window, f *fact.Facts) dissect.Result {
	payloads := w.Stream[:]
	for _, d := range w.Datagrams {
		payloads = append(payloads, d.Payload)
	}
	for _, p := range payloads {
		if bytes.Contains(p, []byte(trigger)) {
			f.Protocol, f.Hostname = "half", "half.done"
			var none []byte
			_ = none[len(p)] // what such a bug does
		}
	}
	return b.Dissector.Dissect(w, f)
}

// TestPanics: a bug in any dissector costs the flow that reaches it its name, and
// nothing else.
func TestPanics(t *testing.T) {
	catalogue, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	set, _ := lang.Parse(nil, lang.Options{})
	bundle, diags := compiler.Compile(set, compiler.Options{Catalogue: catalogue})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	frames := append(hostile().frames, append(hostileUDP().frames, newScript().open().say(plain(), 0).hello().frames...)...)
	for i, d := range all.Dissectors() {
		t.Run(d.Spec().Name, func(t *testing.T) {
			list := all.Dissectors()
			list[i] = broken{d}
			names := map[uint16]string{}
			engine, err := enforcer.New(enforcer.Config{
				Source: &source{frames: frames}, Dissectors: list, Bundle: bundle,
				Recorder: recorder(func(f *telemetry.Flow) { names[uint16(f.SrcPort)] = f.Protocol + " " + f.Hostname }),
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := engine.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if engine.Stats().Panics == 0 {
				t.Error("the bug was not reached")
			}
			if names[40000] != "tls "+Hidden {
				t.Errorf("another flow is %q", names[40000])
			}
			for _, port := range []uint16{41000, 42000} {
				if name := names[port]; name != " " {
					t.Errorf("the flow that reached it is %q", name)
				}
			}
		})
	}
}

// hostile and hostileUDP are flows that reach the bug and are no protocol.
func hostile() *script {
	s := newScript().port(50001)
	s.client = netip.AddrPortFrom(client4, 41000)
	return s.open().say([]byte(trigger+" from the client"), 0)
}

func hostileUDP() *script {
	s := newScript().port(50001)
	s.client = netip.AddrPortFrom(client4, 42000)
	return s.udp([]byte(trigger + " in a datagram"))
}
