package evasion

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

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

// TestPanicsSwitchOff: a dissector that fails again and again is asked no more, so
// that what it recognises has no name; the others go on, and a reload has it asked
// again.
func TestPanicsSwitchOff(t *testing.T) {
	set, _ := lang.Parse(nil, lang.Options{})
	bundle, diags := compiler.Compile(set, compiler.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	list := all.Dissectors()
	list[0] = broken{list[0]} // TLS
	var frames []frame
	add := func(port uint16, s *script) {
		s.client = netip.AddrPortFrom(client4, port)
		switch port {
		case 41004, 41005:
			s.open().say(plain(), 0).hello()
		case 41006:
			s.port(80).open().say([]byte("GET / HTTP/1.1\r\nHost: "+Hidden+"\r\n\r\n"), 0)
		default:
			s.open().say([]byte(trigger), 0)
		}
		frames = append(frames, s.frames...)
	}
	for _, port := range []uint16{41000, 41004, 41001, 41002, 41005, 41006, 41003} {
		add(port, newScript())
	}
	names := map[uint16]string{}
	engine, err := enforcer.New(enforcer.Config{
		Source: &source{frames: frames}, Dissectors: list, Bundle: bundle, Fuse: dissect.Fuse{Panics: 3, Within: time.Minute},
		Recorder: recorder(func(f *telemetry.Flow) { names[uint16(f.SrcPort)] = f.Protocol + " " + f.Hostname }),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for port, want := range map[uint16]string{41000: " ", 41002: " ", 41003: " ", 41004: "tls " + Hidden, 41005: " ", 41006: "http " + Hidden} {
		if names[port] != want {
			t.Errorf("flow of port %d is %q, want %q", port, names[port], want)
		}
	}
	stats := engine.Stats()
	if c := stats.Counters(); c["panics"] != 3 || c["dissectors_off"] != 1 {
		t.Errorf("got %d panics, %d off, want 3, 1", c["panics"], c["dissectors_off"])
	}
	if got := engine.Faults(); len(got) != 1 || got[0].Name != "tls" || !got[0].Off {
		t.Errorf("got faults %+v", got)
	}
	if err := engine.Reload(bundle); err != nil {
		t.Fatal(err)
	}
	if got := engine.Faults(); got[0].Off || got[0].Panics != 3 {
		t.Errorf("after a reload: %+v", got)
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
