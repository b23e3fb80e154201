package packet

import (
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

func TestUnwrap(t *testing.T) {
	inner := build(t, ipv4(layers.IPProtocolUDP), udp(), gopacket.Payload("hello"))
	frame := build(t, ether(layers.EthernetTypeIPv4), gopacket.Payload(inner))
	gre := func(header ...byte) []byte {
		return build(t, ipv4(protoGRE), gopacket.Payload(append(header, inner...)))
	}
	over := func(port layers.UDPPort, header, body []byte) []byte {
		return build(t, ipv4(layers.IPProtocolUDP), &layers.UDP{SrcPort: 50000, DstPort: port}, gopacket.Payload(append(header, body...)))
	}
	inner6 := build(t, ipv6(layers.IPProtocolUDP), udp(), gopacket.Payload("hello"))
	tests := []struct {
		name   string
		in     []byte
		kind   Tunnels
		unread bool
	}{
		{"4in4", build(t, ipv4(protoIPIP), gopacket.Payload(inner)), TunnelIP, false},
		{"4in6", build(t, ipv6(protoIPIP), gopacket.Payload(inner)), TunnelIP, false},
		{"6in4", build(t, ipv4(protoIPv6), gopacket.Payload(inner6)), TunnelIP, false},
		{"GRE", gre(0, 0, 8, 0), TunnelGRE, false},
		{"GRE with checksum, key and number", gre(append([]byte{0xb0, 0, 8, 0}, make([]byte, 12)...)...), TunnelGRE, false},
		{"GRE bridging", build(t, ipv4(protoGRE), gopacket.Payload(append([]byte{0, 0, 0x65, 0x58}, frame...))), TunnelGRE, false},
		{"ERSPAN", build(t, ipv4(protoGRE), gopacket.Payload(append(append([]byte{0x10, 0, 0x88, 0xbe}, make([]byte, 12)...), frame...))), TunnelGRE, false},
		{"PPTP", gre(0x30, 0x81, 0x88, 0x0b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 3, 0, 0x21), TunnelGRE, false},
		{"GRE version 2", gre(0, 2, 8, 0), TunnelGRE, true},
		{"GTP-U", over(portGTPU, []byte{0x30, 0xff, 0, 33, 0, 0, 0, 1}, inner), TunnelGTPU, false},
		{"GTP-U with an extension", over(portGTPU, []byte{0x34, 0xff, 0, 41, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 9, 0}, inner), TunnelGTPU, false},
		{"GTP-U echo", over(portGTPU, []byte{0x32, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0}, nil), TunnelGTPU, true},
		{"VXLAN", over(portVXLAN, []byte{8, 0, 0, 0, 0, 0, 5, 0}, frame), TunnelVXLAN, false},
		{"VXLAN on the older port", over(portVXLANLinux, []byte{8, 0, 0, 0, 0, 0, 5, 0}, frame), TunnelVXLAN, false},
		{"not VXLAN", over(portVXLAN, []byte{1, 0, 0, 0, 0, 0, 5, 0}, frame), TunnelVXLAN, true},
		{"GENEVE with an option", over(portGENEVE, []byte{1, 0, 0x65, 0x58, 0, 0, 5, 0, 1, 2, 3, 0}, frame), TunnelGENEVE, false},
		{"no tunnel", inner, AllTunnels, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p Parsed
			Decode(&Raw{Data: tt.in, LinkType: LinkRaw}, &p)
			before := p.Proto
			if Unwrap(&p, AllTunnels&^tt.kind) || p.Proto != before {
				t.Fatal("unwrapped though it was not to be")
			}
			if got := Unwrap(&p, tt.kind); got == tt.unread {
				t.Fatalf("unwrapped: got %v, want %v", got, !tt.unread)
			}
			if !tt.unread && (p.DstPort != 53 || string(p.Payload) != "hello") {
				t.Errorf("got %+v", p)
			}
		})
	}
}

func TestParseTunnels(t *testing.T) {
	for _, tt := range []struct {
		in   []string
		want Tunnels
		bad  bool
	}{
		{nil, NoTunnels, false},
		{[]string{"all"}, AllTunnels, false},
		{[]string{"gre", "vxlan"}, TunnelGRE | TunnelVXLAN, false},
		{[]string{"gri"}, 0, true},
	} {
		if got, err := ParseTunnels(tt.in); got != tt.want || err != nil != tt.bad {
			t.Errorf("%q: got %v, %v", tt.in, got, err)
		}
	}
	if all, _ := ParseTunnels(TunnelNames()); all != AllTunnels {
		t.Errorf("the names are %b, want %b", all, AllTunnels)
	}
}

func TestWiFi(t *testing.T) {
	ip := build(t, ipv4(layers.IPProtocolUDP), udp(), gopacket.Payload("hello"))
	snap := append([]byte{0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, ip...)
	frame := func(control, flags byte, after ...byte) []byte {
		b := make([]byte, wifiHeader)
		b[0], b[1] = control, flags
		copy(b[4:], mac1)
		copy(b[10:], mac2)
		b[16] = 9
		return append(append(b, after...), snap...)
	}
	radio := func(flags byte, frame []byte) []byte {
		return append([]byte{0, 0, 17, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, flags}, frame...)
	}
	tests := []struct {
		name string
		link LinkType
		in   []byte
		want Drop
	}{
		{"data", LinkWiFi, frame(0x08, 0x01), DropNone},
		{"QoS data", LinkWiFi, frame(0x88, 0x02, 0, 0), DropNone},
		{"QoS data with HT control", LinkWiFi, frame(0x88, 0x82, 0, 0, 0, 0, 0, 0), DropNone},
		{"four addresses", LinkWiFi, frame(0x08, 0x03, 1, 2, 3, 4, 5, 6), DropNone},
		{"radiotap", LinkRadiotap, radio(0, frame(0x08, 0x01)), DropNone},
		{"radiotap, padded", LinkRadiotap, radio(0x20, frame(0x88, 0x02, 0, 0, 0, 0)), DropNone},
		{"radiotap with more fields", LinkRadiotap, append([]byte{0, 0, 12, 0, 0, 0, 0, 0x80, 0, 0, 0, 0}, frame(0x08, 0x01)...), DropNone},
		{"Prism", LinkPrism, append(make([]byte, prismHeader), frame(0x08, 0x01)...), DropNone},
		{"AVS", LinkAVS, append([]byte{0x80, 0x21, 0x10, 1, 0, 0, 0, 12, 0, 0, 0, 0}, frame(0x08, 0x01)...), DropNone},
		{"protected", LinkWiFi, frame(0x08, 0x41), DropLink},
		{"beacon", LinkWiFi, frame(0x80, 0), DropLink},
		{"null data", LinkWiFi, frame(0x48, 0x01), DropLink},
		{"aggregate", LinkWiFi, frame(0x88, 0x02, 0x80, 0), DropLink},
		{"short", LinkRadiotap, []byte{0, 0, 200, 0, 0, 0, 0, 0}, DropShort},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p Parsed
			Decode(&Raw{Data: tt.in, LinkType: tt.link}, &p)
			if p.Drop != tt.want {
				t.Fatalf("got drop %v, want %v", p.Drop, tt.want)
			}
			if tt.want == DropNone && (string(p.Payload) != "hello" || p.SrcMAC == [6]byte{}) {
				t.Errorf("got %+v", p)
			}
		})
	}
}

func TestCheckTCP(t *testing.T) {
	build := func(fix bool) []byte {
		ip, segment := ipv4(layers.IPProtocolTCP), tcp()
		if err := segment.SetNetworkLayerForChecksum(ip); err != nil {
			t.Fatal(err)
		}
		buf := gopacket.NewSerializeBuffer()
		if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: fix}, ip, segment, gopacket.Payload("hello")); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	good := build(true)
	bad := append([]byte(nil), good...)
	bad[len(bad)-1]++
	// Pseudo header alone: 192.0.2.1, 198.51.100.2, 6, 25.
	partial := build(false)
	partial[36], partial[37] = byte(fold(0xc000+0x0201+0xc633+0x6402+6+25)>>8), byte(fold(0xc000+0x0201+0xc633+0x6402+6+25))
	for _, tt := range []struct {
		name string
		in   []byte
		want Checksum
	}{
		{"good", good, ChecksumGood},
		{"bad", bad, ChecksumBad},
		{"left out", build(false), ChecksumUnknown},
		{"left to the card", partial, ChecksumUnknown},
		{"cut", good[:len(good)-1], ChecksumUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var p Parsed
			Decode(&Raw{Data: tt.in, LinkType: LinkRaw}, &p)
			if got := p.CheckTCP(); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}
