package packet

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// part is a fragment: the bytes [from, to) of a datagram's payload.
type part struct {
	from, to int
	more     bool
	change   byte // added to each byte
}

// payloadOf is a whole IPv4 payload: UDP with n bytes.
func payloadOf(t testing.TB, n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i)
	}
	return build(t, udp(), gopacket.Payload(data))
}

func fragments4(t testing.TB, whole []byte, id uint16, parts []part) [][]byte {
	var list [][]byte
	for _, f := range parts {
		ip := ipv4(layers.IPProtocolUDP)
		ip.Id, ip.FragOffset = id, uint16(f.from/8)
		if f.more {
			ip.Flags = layers.IPv4MoreFragments
		}
		body := bytes.Clone(whole[f.from:f.to])
		for i := range body {
			body[i] += f.change
		}
		list = append(list, build(t, ip, gopacket.Payload(body)))
	}
	return list
}

func TestFragments(t *testing.T) {
	whole := payloadOf(t, 92) // 100 with the header
	tests := []struct {
		name    string
		parts   []part
		want    bool
		evasive bool
	}{
		{"in order", []part{{0, 48, true, 0}, {48, 100, false, 0}}, true, false},
		{"reversed", []part{{48, 100, false, 0}, {8, 48, true, 0}, {0, 8, true, 0}}, true, false},
		{"first of 8 bytes", []part{{0, 8, true, 0}, {8, 100, false, 0}}, true, false},
		{"same bytes twice", []part{{0, 48, true, 0}, {0, 48, true, 0}, {48, 100, false, 0}}, true, false},
		{"overlap, same data", []part{{0, 48, true, 0}, {40, 100, false, 0}}, true, false},
		{"overlap, other data behind", []part{{40, 100, false, 1}, {0, 48, true, 0}}, true, true},
		{"overlap, other data before", []part{{0, 48, true, 0}, {40, 96, true, 1}, {96, 100, false, 0}}, true, true},
		{"two ends", []part{{48, 96, false, 0}, {48, 100, false, 0}, {0, 48, true, 0}}, true, true},
		{"never whole", []part{{0, 48, true, 0}, {56, 100, false, 0}}, false, false},
		{"no first", []part{{48, 100, false, 0}}, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var f Fragments
			var p Parsed
			got := false
			for _, data := range fragments4(t, whole, 7, tt.parts) {
				raw := Raw{Data: data, LinkType: LinkRaw, Length: len(data)}
				Decode(&raw, &p)
				got = f.Add(&raw, &p)
			}
			if got != tt.want {
				t.Fatalf("whole: got %v, want %v", got, tt.want)
			}
			if !got {
				return
			}
			if p.Evasive != tt.evasive || p.Fragment != NotFragment || p.DstPort != 53 || p.IPLength > 20+len(whole) || f.Len() != 0 {
				t.Errorf("got %+v, %d waiting", p, f.Len())
			}
			if !tt.evasive && !bytes.Equal(p.Payload, whole[8:]) {
				t.Errorf("got payload %x", p.Payload)
			}
		})
	}
}

// TestFragments6: the datagram may begin with extension headers, which only the
// first fragment shows.
func TestFragments6(t *testing.T) {
	whole := append([]byte{17, 0, 1, 4, 0, 0, 0, 0}, payloadOf(t, 24)...) // destination options, then UDP
	var f Fragments
	var p Parsed
	got := false
	for _, part := range []part{{32, 40, false, 0}, {0, 32, true, 0}} {
		header := []byte{ip6Destination, 0, 0, 0, 0, 0, 0, 9}
		offset := uint16(part.from)
		if part.more {
			offset |= 1
		}
		binary.BigEndian.PutUint16(header[2:], offset)
		data := build(t, ipv6(ip6Fragment), gopacket.Payload(append(header, whole[part.from:part.to]...)))
		raw := Raw{Data: data, LinkType: LinkRaw, Length: len(data)}
		Decode(&raw, &p)
		got = f.Add(&raw, &p)
	}
	if !got || p.Proto != ProtoUDP || p.DstPort != 53 || !bytes.Equal(p.Payload, whole[16:]) {
		t.Errorf("got %v, %+v", got, p)
	}
}

// TestFragmentsGivenUp: what began a datagram that never became whole is seen as
// a first fragment, and little is kept.
func TestFragmentsGivenUp(t *testing.T) {
	whole := payloadOf(t, 92)
	var f Fragments
	var p Parsed
	raw := Raw{LinkType: LinkRaw}
	for id := range uint16(2000) {
		raw.Data = fragments4(t, whole, id, []part{{0, 48, true, 0}})[0]
		raw.Length = len(raw.Data)
		Decode(&raw, &p)
		f.Add(&raw, &p)
		for f.Stale(0, &raw, &p) {
			if p.Fragment != FirstFragment || p.DstPort != 53 || len(p.Payload) != 40 || raw.Length != 68 {
				t.Fatalf("got %+v", p)
			}
		}
	}
	if f.Len() != maxDatagrams || f.bytes > maxFragmentBytes {
		t.Errorf("%d datagrams of %d bytes are kept", f.Len(), f.bytes)
	}
	n := 0
	for f.Stale(math.MaxInt64, &raw, &p) {
		n++
	}
	if n != maxDatagrams || f.bytes != 0 {
		t.Errorf("%d given up at the end, %d bytes left", n, f.bytes)
	}
}

// TestFragmentsInManyPieces: small fragments, every second one first, are put
// together; of more than are kept apart the datagram says so.
func TestFragmentsInManyPieces(t *testing.T) {
	for _, tt := range []struct {
		pieces         int
		whole, evasive bool
	}{{2 * maxPieces, true, false}, {2*maxPieces + 4, false, true}} {
		whole := payloadOf(t, 8*tt.pieces-8)
		var parts []part
		for _, first := range []int{1, 0} {
			for i := first; i < tt.pieces; i += 2 {
				parts = append(parts, part{8 * i, 8*i + 8, i < tt.pieces-1, 0})
			}
		}
		var f Fragments
		var p Parsed
		raw := Raw{LinkType: LinkRaw}
		got := false
		for _, data := range fragments4(t, whole, 7, parts) {
			raw.Data, raw.Length = data, len(data)
			Decode(&raw, &p)
			got = f.Add(&raw, &p)
		}
		if !got {
			f.Stale(math.MaxInt64, &raw, &p)
		}
		if got != tt.whole || p.Evasive != tt.evasive || p.DstPort != 53 {
			t.Errorf("%d pieces: whole %v, evasive %v, port %d", tt.pieces, got, p.Evasive, p.DstPort)
		}
	}
}
