package evasion

import (
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/all"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/fact"
)

// counting counts what a dissector is asked.
type counting struct {
	dissect.Dissector
	calls *int
	bytes *int
}

func (c counting) Dissect(w *dissect.Window, f *fact.Facts) dissect.Result {
	*c.calls++
	*c.bytes += len(w.Stream[0]) + len(w.Stream[1])
	for _, d := range w.Datagrams {
		*c.bytes += len(d.Payload)
	}
	return c.Dissector.Dissect(w, f)
}

// drip is a flow of the dearest inputs as a sender would spread them to have it
// read again with each packet: n bytes a packet, each side in turn, for more
// packets than any budget.
func drip(in dissecttest.Flow, n int) []frame {
	const packets = 400
	s := newScript().port(in.DstPort)
	if !in.UDP {
		s.open()
	}
	said := [2][]byte{}
	for _, p := range in.Packets {
		said[p.From] = append(said[p.From], p.Data...)
	}
	for i := range packets {
		side := i & 1
		if len(said[side]) == 0 {
			side = 1 - side
		}
		piece := said[side][:min(n, len(said[side]))]
		said[side] = said[side][len(piece):]
		switch {
		case in.UDP && side == 0:
			s.udp(piece)
		case in.UDP:
			s.reply(piece)
		case side == 0:
			s.data(int(s.sent), piece)
		default:
			s.answer(piece)
		}
	}
	return s.frames
}

// dripped are the flows: those of DNS, QUIC and TLS whose bytes are what they
// seem, and text that never ends.
func dripped() map[string]dissecttest.Flow {
	flows := map[string]dissecttest.Flow{
		"text":          dissecttest.TCP(80, dissecttest.Client("GET /"+strings.Repeat("a", 60000)), dissecttest.Server(strings.Repeat("b", 60000))),
		"header fields": dissecttest.TCP(80, dissecttest.Client("GET / HTTP/1.1\r\n"+strings.Repeat("a:b\r\n", 12000)), dissecttest.Server(strings.Repeat("c", 60000))),
		"zeros":         dissecttest.UDP(443, dissecttest.Client(make([]byte, 60000)), dissecttest.Server(make([]byte, 60000))),
		"TLS records":   dissecttest.TCP(443, dissecttest.Client(strings.Repeat("\x16\x03\x01\x00\x01\x01", 10000)), dissecttest.Server(strings.Repeat("\x16\x03\x01\x00\x00", 10000))),
	}
	for _, c := range dissecttest.CostlyInputs() {
		if strings.HasPrefix(c.Name, "aliases") || strings.HasPrefix(c.Name, "longest") {
			flows[c.Name] = c.In
		}
	}
	return flows
}

// TestWorkOfAFlowIsBounded: however a flow is spread, dissectors are asked of it
// as often as the budget allows, and flows are never inspected beyond it.
func TestWorkOfAFlowIsBounded(t *testing.T) {
	const budget, beyond = 32, 4 // beyond: small segments take as many times the budget
	bundle := emptyBundle(t)
	for name, in := range dripped() {
		for _, n := range []int{1, 100, 1400} {
			var calls, shown [16]int
			list := all.Dissectors()
			for i := range list {
				list[i] = counting{list[i], &calls[i], &shown[i]}
			}
			inspected := 0
			playOnce(t, bundle, list, drip(in, n), func(f *telemetry.Flow) { inspected = max(inspected, f.InspectedPackets) })
			limit := budget
			if !in.UDP && n < 1400 {
				limit *= beyond
			}
			if inspected > limit {
				t.Errorf("%s, %d bytes a packet: %d packets were inspected, at most %d", name, n, inspected, limit)
			}
			for i := range list {
				tag := list[i].Spec().Name
				if asked := 1 + limit; calls[i] > asked && tag != "dns" { // names are learned of all of a DNS flow
					t.Errorf("%s, %d bytes a packet: %s was asked %d times, at most %d", name, n, tag, calls[i], asked)
				}
			}
		}
	}
}

// BenchmarkDrippedFlow is what such a flow costs all in all: its packets, and all
// that dissectors make of it.
func BenchmarkDrippedFlow(b *testing.B) {
	bundle := emptyBundle(b)
	for name, in := range dripped() {
		for _, n := range []string{"1", "1400"} {
			size := map[string]int{"1": 1, "1400": 1400}[n]
			frames := drip(in, size)
			b.Run(name+", "+n+" bytes a packet", func(b *testing.B) {
				best := time.Hour
				for b.Loop() {
					best = min(best, playOnce(b, bundle, all.Dissectors(), frames, func(*telemetry.Flow) {}))
				}
				b.ReportMetric(float64(best.Microseconds()), "µs/flow")
			})
		}
	}
}

func emptyBundle(tb testing.TB) *artifact.Bundle {
	tb.Helper()
	set, _ := lang.Parse(nil, lang.Options{})
	bundle, diags := compiler.Compile(set, compiler.Options{})
	if diags.HasErrors() {
		tb.Fatal(diags)
	}
	return bundle
}

// playOnce is how long the engine takes for the frames.
func playOnce(tb testing.TB, bundle *artifact.Bundle, list []dissect.Dissector, frames []frame, told func(*telemetry.Flow)) time.Duration {
	tb.Helper()
	engine, err := enforcer.New(enforcer.Config{
		Source: &source{frames: frames}, Dissectors: list, Bundle: bundle, MaxFlows: 16, Recorder: recorder(told),
	})
	if err != nil {
		tb.Fatal(err)
	}
	begun := time.Now()
	if err := engine.Run(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return time.Since(begun)
}
