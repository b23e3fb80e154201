package packet

import (
	"bytes"
	"encoding/binary"
	"math"
	"reflect"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/netpol/netpol/enforcer/fuzztest"
)

// FuzzDecode fuzzes a frame and what its tunnels carry: what is said of a packet
// must lie in it, and nothing may be written.
func FuzzDecode(f *testing.F) {
	tcp4 := build(f, ipv4(layers.IPProtocolTCP), tcp(), gopacket.Payload("hello"))
	var seeds [][]byte
	add := func(link LinkType, data []byte) {
		f.Add(uint16(link), data)
		seeds = append(seeds, append(binary.BigEndian.AppendUint16(nil, uint16(link)), data...))
	}
	add(LinkEthernet, build(f, ether(layers.EthernetTypeIPv4), gopacket.Payload(tcp4)))
	udp4 := build(f, ether(layers.EthernetTypeIPv4), ipv4(layers.IPProtocolUDP), udp(), gopacket.Payload("hello"))
	add(LinkEthernet, udp4)
	add(LinkEthernet, append(udp4, make([]byte, 6)...)) // the link's padding
	add(LinkEthernet, udp4[:40])
	add(LinkRaw, build(f, ipv6(layers.IPProtocolUDP), udp(), gopacket.Payload("hello")))
	add(LinkRaw, build(f, ipv4(layers.IPProtocolIPv4), gopacket.Payload(tcp4)))
	add(LinkRaw, build(f, ipv4(layers.IPProtocolGRE), gopacket.Payload(append([]byte{0x30, 0, 8, 0, 0, 0, 0, 1, 0, 0, 0, 2}, tcp4...))))
	add(LinkPPP, append([]byte{0xff, 3, 0, 0x21}, tcp4...))
	add(LinkPPI, append([]byte{0, 0, 8, 0, 101, 0, 0, 0}, tcp4...))
	for _, link := range []LinkType{LinkNull, LinkLoop, LinkLinuxSLL, LinkSLL2, LinkWiFi, LinkRadiotap} {
		add(link, append(make([]byte, 24), tcp4...))
	}
	fuzztest.Run(f, seeds, func(b []byte) uint64 {
		if len(b) < 2 {
			return 0
		}
		return fuzzDecode(f, LinkType(binary.BigEndian.Uint16(b)), b[2:])
	})
	f.Fuzz(func(t *testing.T, link uint16, data []byte) { fuzzDecode(t, LinkType(link), data) })
}

func fuzzDecode(t testing.TB, link LinkType, data []byte) (outcome uint64) {
	t.Helper()
	was := bytes.Clone(data)
	var p Parsed
	Decode(&Raw{Data: data, LinkType: link, Length: len(data)}, &p)
	if link == LinkEthernet {
		var stepwise Parsed
		decodeLink(link, data, &stepwise)
		if !reflect.DeepEqual(p, stepwise) {
			t.Errorf("in one piece %+v, layer by layer %+v", p, stepwise)
		}
	}
	depth := 0
	for ; depth < 5; depth++ {
		checkParsed(t, &p, data)
		if !Unwrap(&p, AllTunnels) {
			break
		}
	}
	if !bytes.Equal(data, was) {
		t.Error("the packet was changed")
	}
	return uint64(p.Drop) | uint64(p.Proto)<<8 | uint64(p.IPVersion)<<16 | uint64(p.Fragment)<<24 | uint64(depth)<<32 | uint64(p.TCPFlags)<<40
}

func checkParsed(t testing.TB, p *Parsed, data []byte) {
	t.Helper()
	if !within(p.Payload, data) || !within(p.body, data) {
		t.Error("payload from elsewhere")
	}
	if p.Drop == DropNone && p.IPVersion != 4 && p.IPVersion != 6 {
		t.Errorf("not dropped, yet IP version %d", p.IPVersion)
	}
	if p.Drop == DropNone && p.PayloadLength < len(p.Payload) {
		t.Errorf("payload length %d below the %d bytes there", p.PayloadLength, len(p.Payload))
	}
	p.CheckTCP()
}

// within says that part is a slice of all.
func within(part, all []byte) bool {
	if len(part) == 0 {
		return true
	}
	// Two slices of one array end at the same place when both are taken to
	// their capacity.
	part, all = part[:cap(part)], all[:cap(all)]
	if len(part) > len(all) {
		return false
	}
	return &part[len(part)-1] == &all[len(all)-1]
}

// FuzzFragments plays a script of fragments of three datagrams, and any bytes
// that come between, and holds the whole ones against what came first.
func FuzzFragments(f *testing.F) {
	whole := payloadOf(f, 92)
	var seeds [][]byte
	for _, parts := range [][]part{
		{{0, 48, true, 0}, {48, 100, false, 0}},
		{{48, 100, false, 0}, {8, 48, true, 0}, {0, 8, true, 0}},
		{{40, 100, false, 1}, {0, 48, true, 0}},
		{{48, 96, false, 0}, {48, 100, false, 0}, {0, 48, true, 0}},
	} {
		var script []byte
		for _, part := range parts {
			how := byte(0)
			if part.more {
				how |= 1
			}
			script = append(script, how, byte(part.from/8), byte(part.to-part.from))
			script = append(script, whole[part.from:part.to]...)
		}
		seeds = append(seeds, script)
		f.Add(script)
	}
	fuzztest.Run(f, seeds, func(b []byte) uint64 { return fuzzFragments(f, b) })
	f.Fuzz(func(t *testing.T, b []byte) { fuzzFragments(t, b) })
}

// fuzzFragments reads a fragment as a byte (1: more follow; the next two bits
// are its datagram; 8: bytes of no form instead), its place in eights, its
// length and contents.
func fuzzFragments(t testing.TB, script []byte) (outcome uint64) {
	t.Helper()
	var keep Fragments
	var models [4]fragmentModel
	var p Parsed
	for len(script) >= 3 {
		how, at := script[0], int(script[1])*8
		body := script[3:min(len(script), 3+int(script[2]))]
		script = script[3+len(body):]
		raw := Raw{Data: ipFragment(how, at, body), LinkType: LinkRaw}
		if how&8 != 0 {
			raw.Data = body
		}
		raw.Length = len(raw.Data)
		if Decode(&raw, &p); p.Fragment == NotFragment || p.Drop != DropNone && how&8 != 0 {
			continue
		}
		m := &models[how>>1&3]
		if how&8 == 0 {
			m.add(at, body, how&1 != 0)
		}
		if !keep.Add(&raw, &p) {
			continue
		}
		outcome = outcome*31 + uint64(p.PayloadLength)
		if p.Fragment != NotFragment {
			t.Fatal("a whole datagram is a fragment")
		}
		if how&8 == 0 {
			m.check(t, &p)
			*m = fragmentModel{}
		}
	}
	for keep.Stale(math.MaxInt64, &Raw{}, &p) {
		if p.Drop == DropNone && p.Fragment != FirstFragment {
			t.Fatal("given up, but no first fragment")
		}
		outcome++
	}
	if keep.bytes != 0 {
		t.Fatalf("%d bytes left", keep.bytes)
	}
	return outcome
}

// ipFragment is a packet of a datagram of protocol 253, which has no header to
// be read (RFC 3692).
func ipFragment(how byte, at int, body []byte) []byte {
	b := make([]byte, 20, 20+len(body))
	b[0], b[8], b[9], b[5] = 0x45, 64, 253, how>>1&3
	binary.BigEndian.PutUint16(b[2:], uint16(20+len(body)))
	binary.BigEndian.PutUint16(b[6:], uint16(at/8)|uint16(how&1)<<13)
	b[15], b[19] = 1, 2
	return append(b, body...)
}

// fragmentModel is what a datagram must come to: of each byte the first.
type fragmentModel struct {
	data   [4096]byte
	have   [4096]bool
	differ bool
	ends   []int
}

func (m *fragmentModel) add(at int, body []byte, more bool) {
	if len(body) == 0 {
		return
	}
	for i, v := range body {
		m.differ = m.differ || m.have[at+i] && m.data[at+i] != v
		if !m.have[at+i] {
			m.have[at+i], m.data[at+i] = true, v
		}
	}
	if !more {
		m.differ = m.differ || len(m.ends) > 0 && m.ends[0] != at+len(body)
		m.ends = append(m.ends, at+len(body))
	}
}

func (m *fragmentModel) check(t testing.TB, p *Parsed) {
	t.Helper()
	if len(m.ends) == 0 {
		t.Fatal("whole without an end")
	}
	end := m.ends[0]
	for i := range end {
		if !m.have[i] {
			t.Fatalf("whole without byte %d of %d", i, end)
		}
	}
	if !bytes.Equal(p.Payload, m.data[:end]) || p.Evasive != m.differ {
		t.Fatalf("got %d bytes, evasive %v; want %d, %v, or other bytes", len(p.Payload), p.Evasive, end, m.differ)
	}
}
