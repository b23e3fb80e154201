package dissecttest

import (
	"encoding/binary"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/fuzztest"
)

// maxFuzzPackets bounds one fuzzed flow, as the engine's packet budget does.
const maxFuzzPackets = 32

// FuzzOne fuzzes d from the flows of the cases, by Go's fuzzer or, where
// fuzztest.Environment asks for it, by count. Whatever the bytes, what package
// dissect promises must hold; see promises.
func FuzzOne(f *testing.F, d dissect.Dissector, cases []Case) {
	f.Helper()
	var seeds [][]byte
	add := func(fl Flow) {
		f.Add(fl.DstPort, encode(fl))
		seeds = append(seeds, binary.BigEndian.AppendUint16(nil, fl.DstPort))
		seeds[len(seeds)-1] = append(seeds[len(seeds)-1], encode(fl)...)
	}
	for _, c := range cases {
		add(c.In)
	}
	for _, foreign := range foreignFlows() {
		add(foreign.flow)
	}
	fuzztest.Run(f, seeds, func(b []byte) uint64 {
		if len(b) < 2 {
			return 0
		}
		return fuzzFlows(f, d, binary.BigEndian.Uint16(b), b[2:])
	})
	f.Fuzz(func(t *testing.T, port uint16, data []byte) { fuzzFlows(t, d, port, data) })
}

// everything is wished for.
var everything = dissect.Wants{Certificate: true, URL: true, Agents: true, STUN: true, Login: true, Answer: true}

// fuzzFlows checks d's promises on the flows that data can be read as, and says
// what came of them.
func fuzzFlows(t testing.TB, d dissect.Dissector, port uint16, data []byte) (outcome uint64) {
	t.Helper()
	spec := d.Spec()
	if spec.TCP {
		outcome = fuzzFlow(t, d, func() Flow { return decode(data, port, false) })
	}
	if spec.UDP {
		outcome = outcome*31 + fuzzFlow(t, d, func() Flow { return decode(data, port, true) })
	}
	return outcome
}

// fuzzFlow checks d's promises on a flow, without and with wishes. The flow is
// made anew each time: its packets are overwritten at the end.
func fuzzFlow(t testing.TB, d dissect.Dissector, build func() Flow) (outcome uint64) {
	t.Helper()
	for _, want := range []dissect.Wants{{}, everything} {
		fl := build().Wanting(want)
		if want == everything {
			fl.Signed = someSignatures{}
		}
		o, err := promises(d, fl)
		if err != nil {
			t.Fatalf("%s, udp %v, port %d, %+v: %v", d.Spec().Name, fl.UDP, fl.DstPort, want, err)
		}
		outcome = outcome*31 + o
	}
	return outcome
}

// someSignatures takes half of all values for a product's.
type someSignatures struct{}

// Signature implements dissect.Signatures.
func (someSignatures) Signature(_ dissect.Where, value []byte) (application string, ok bool) {
	return "signed", len(value)%2 == 0
}

// FuzzBuilt is FuzzOne for flows that build makes of the input: what lies behind
// a cipher is out of a fuzzer's reach otherwise.
func FuzzBuilt(f *testing.F, d dissect.Dissector, seeds [][]byte, build func(t testing.TB, data []byte) Flow) {
	f.Helper()
	for _, s := range seeds {
		f.Add(s)
	}
	try := func(t testing.TB, b []byte) uint64 {
		return fuzzFlow(t, d, func() Flow { return build(t, b) })
	}
	fuzztest.Run(f, seeds, func(b []byte) uint64 { return try(f, b) })
	f.Fuzz(func(t *testing.T, b []byte) { try(t, b) })
}

// encode writes a flow as fuzz input: per packet one byte (its lowest bit is
// the side, the next closes the flow), two bytes of length, the payload.
func encode(fl Flow) []byte {
	var b []byte
	for _, p := range fl.Packets {
		h := byte(p.From)
		if fl.Closed[p.From] {
			h |= 2
		}
		b = append(b, h)
		b = binary.BigEndian.AppendUint16(b, uint16(len(p.Data)))
		b = append(b, p.Data...)
	}
	return b
}

// decode reads what encode wrote; any input is a flow.
func decode(b []byte, port uint16, udp bool) Flow {
	fl := Flow{UDP: udp, SrcPort: clientPort, DstPort: port}
	for len(b) >= 3 && len(fl.Packets) < maxFuzzPackets {
		side := dissect.Side(b[0] & 1)
		fl.Closed[side] = b[0]&2 != 0
		n := min(int(binary.BigEndian.Uint16(b[1:])), len(b)-3)
		fl.Packets = append(fl.Packets, Packet{side, b[3 : 3+n]})
		b = b[3+n:]
	}
	return fl
}
