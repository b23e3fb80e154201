package evasion

import (
	"encoding/binary"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/all"
	"github.com/netpol/netpol/enforcer/fuzztest"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/telemetry"
)

// FuzzEngine plays changed evasions to the whole engine: frames go through
// decoding, fragments, tunnels, reassembly and all dissectors, and all that was
// held must be given back.
func FuzzEngine(f *testing.F) {
	bundle, dissectors := emptyBundle(f), all.Dissectors()
	var seeds [][]byte
	for _, row := range Rows() {
		for _, v := range row.variants {
			var b []byte
			for _, fr := range v.build().frames {
				if len(b) < 4096 {
					b = append(binary.BigEndian.AppendUint16(b, uint16(len(fr.data))), fr.data...)
				}
			}
			seeds = append(seeds, b)
			f.Add(b)
		}
	}
	fuzztest.Run(f, seeds, func(b []byte) uint64 { return fuzzEngine(f, bundle, dissectors, b) })
	f.Fuzz(func(t *testing.T, b []byte) { fuzzEngine(t, bundle, dissectors, b) })
}

// fuzzEngine reads frames, each behind its length.
func fuzzEngine(t testing.TB, bundle *artifact.Bundle, dissectors []dissect.Dissector, b []byte) (outcome uint64) {
	t.Helper()
	const most = 128 // packets of a flow that may be inspected
	var frames []frame
	for now := int64(1); len(b) >= 2 && len(frames) < 200; now += 1_000_000 {
		n := min(int(binary.BigEndian.Uint16(b)), len(b)-2)
		frames = append(frames, frame{b[2 : 2+n], packet.LinkEthernet, now})
		b = b[2+n:]
	}
	engine, err := enforcer.New(enforcer.Config{
		Source: &source{frames: frames}, Dissectors: dissectors, Bundle: bundle, Unwrap: packet.AllTunnels,
		MaxFlows: 16, MaxOpening: 4, MaxBuffers: 128 << 10, MaxNames: 16,
		Recorder: recorder(func(f *telemetry.Flow) {
			if f.InspectedPackets > most {
				t.Errorf("%d packets of a flow were inspected", f.InspectedPackets)
			}
			outcome = outcome*31 + uint64(len(f.Protocol)) + uint64(len(f.Hostname))<<8
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := engine.Stats(); s.Panics+s.Opening+s.Buffered > 0 || s.Packets != uint64(len(frames)) {
		t.Fatalf("%d panics %+v, %d openings, %d bytes held, %d of %d packets", s.Panics, engine.Faults(), s.Opening, s.Buffered, s.Packets, len(frames))
	}
	return outcome
}
