package dissecttest

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// maxFuzzPackets bounds one fuzzed flow, as the engine's packet budget does.
const maxFuzzPackets = 32

// FuzzOne fuzzes d from the flows of the cases. Whatever the bytes: no panic,
// results in their order, no change of the input, nothing but printable ASCII
// in the facts.
func FuzzOne(f *testing.F, d dissect.Dissector, cases []Case) {
	f.Helper()
	for _, c := range cases {
		f.Add(c.In.DstPort, encode(c.In))
	}
	for _, foreign := range foreignFlows() {
		f.Add(foreign.flow.DstPort, encode(foreign.flow))
	}
	spec := d.Spec()
	f.Fuzz(func(t *testing.T, port uint16, data []byte) {
		if spec.TCP {
			fuzzFlow(t, d, decode(data, port, false))
		}
		if spec.UDP {
			fuzzFlow(t, d, decode(data, port, true))
		}
		everything := dissect.Wants{Certificate: true, URL: true, Agents: true, STUN: true, Login: true}
		if spec.TCP {
			fuzzFlow(t, d, decode(data, port, false).Wanting(everything))
		}
		if spec.UDP {
			fuzzFlow(t, d, decode(data, port, true).Wanting(everything))
		}
	})
}

// fuzzFlow grows the flow packet by packet through d.
func fuzzFlow(t *testing.T, d dissect.Dissector, fl Flow) {
	t.Helper()
	was := fl.clone()
	p := progress{last: dissect.NeedMore}
	cut := 0
	for _, pkt := range fl.Packets {
		if p.last == dissect.NoMatch || p.last == dissect.Match {
			break // the engine does not ask again
		}
		if cut++; !fl.UDP {
			cut += len(pkt.Data) - 1
		}
		w := fl.Window(cut)
		if err := p.step(d, w); err != nil {
			t.Fatalf("cut %d: %v", cut, err)
		}
		for _, n := range w.Names {
			if !clean(n.Name) || !n.Addr.IsValid() {
				t.Fatalf("name binding %q %v", n.Name, n.Addr)
			}
		}
	}
	for i := range fl.Packets {
		if !bytes.Equal(fl.Packets[i].Data, was.Packets[i].Data) {
			t.Fatalf("packet %d was changed", i)
		}
	}
	x := &p.facts
	fields := reflect.ValueOf(x).Elem()
	for _, a := range fact.Attributes {
		if s, ok := fields.FieldByName(a.Field).Interface().(string); ok && !clean(s) {
			t.Fatalf("unprintable %s %q", a.Name, s)
		}
	}
	if x.Hostname != strings.ToLower(x.Hostname) || x.DNSHostname != strings.ToLower(x.DNSHostname) {
		t.Fatalf("host names %q, %q: want lower case", x.Hostname, x.DNSHostname)
	}
}

// clean says whether s is printable ASCII.
func clean(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
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
