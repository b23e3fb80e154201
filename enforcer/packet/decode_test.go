package packet

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

var (
	mac1 = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	mac2 = net.HardwareAddr{2, 0, 0, 0, 0, 2}
)

func ether(t layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: mac1, DstMAC: mac2, EthernetType: t}
}

func ipv4(proto layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{
		Version: 4, TTL: 64, Id: 0x1234, Protocol: proto,
		SrcIP: net.IP{192, 0, 2, 1}, DstIP: net.IP{198, 51, 100, 2},
	}
}

func ipv6(next layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{
		Version: 6, HopLimit: 64, NextHeader: next,
		SrcIP: net.ParseIP("2001:db8::1"), DstIP: net.ParseIP("2001:db8::2"),
	}
}

func tcp() *layers.TCP {
	return &layers.TCP{SrcPort: 40000, DstPort: 443, Seq: 7, Ack: 9, PSH: true, ACK: true, DataOffset: 5}
}

func udp() *layers.UDP { return &layers.UDP{SrcPort: 40000, DstPort: 53} }

// build serialises layers, lengths filled in.
func build(t testing.TB, parts ...gopacket.SerializableLayer) []byte {
	t.Helper()
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true}, parts...); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func mapped(s string) [16]byte { return netip.MustParseAddr(s).As16() }

func want4(proto uint8) Parsed {
	return Parsed{IPVersion: 4, Proto: proto, Src: mapped("192.0.2.1"), Dst: mapped("198.51.100.2")}
}

func want6(proto uint8) Parsed {
	return Parsed{IPVersion: 6, Proto: proto, Src: mapped("2001:db8::1"), Dst: mapped("2001:db8::2")}
}

// with changes a copy of p.
func with(p Parsed, change func(*Parsed)) Parsed {
	change(&p)
	return p
}

func tcpFields(payload string) func(*Parsed) {
	return func(p *Parsed) {
		p.SrcPort, p.DstPort, p.Seq, p.Ack, p.TCPFlags = 40000, 443, 7, 9, PSH|ACK
		p.Payload, p.PayloadLength = []byte(payload), len(payload)
	}
}

func udpFields(payload string) func(*Parsed) {
	return func(p *Parsed) {
		p.SrcPort, p.DstPort = 40000, 53
		p.Payload, p.PayloadLength = []byte(payload), len(payload)
	}
}

// TestIPLength: what conntrack counts is neither the link's nor what was cut
// off.
func TestIPLength(t *testing.T) {
	data := gopacket.Payload("hello")
	tcp4, udp6 := build(t, ipv4(layers.IPProtocolTCP), tcp(), data), build(t, ipv6(layers.IPProtocolUDP), udp(), data)
	fragment := ipv4(layers.IPProtocolTCP)
	fragment.FragOffset = 100
	unset := bytes.Clone(tcp4)
	unset[2], unset[3] = 0, 0
	for _, tt := range []struct {
		name string
		link LinkType
		in   []byte
		want int
	}{
		{"ipv4", LinkRaw, tcp4, 20 + 20 + 5},
		{"ipv6", LinkRaw, udp6, 40 + 8 + 5},
		{"ethernet, padded", LinkEthernet, append(build(t, ether(layers.EthernetTypeIPv4), gopacket.Payload(tcp4)), 0, 0, 0), 45},
		{"cut short", LinkRaw, tcp4[:42], 45},
		{"later fragment", LinkRaw, build(t, fragment, data), 25},
		{"length left to the network card", LinkRaw, unset, 45},
		{"no ip", LinkEthernet, build(t, ether(layers.EthernetTypeARP), data), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got Parsed
			Decode(&Raw{Data: tt.in, LinkType: tt.link, Length: len(tt.in)}, &got)
			if got.IPLength != tt.want {
				t.Errorf("got %d bytes, want %d", got.IPLength, tt.want)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	data := gopacket.Payload("hello")
	tcp4 := build(t, ipv4(layers.IPProtocolTCP), tcp(), data)
	udp6 := build(t, ipv6(layers.IPProtocolUDP), udp(), data)
	withOptions := ipv4(layers.IPProtocolTCP)
	withOptions.Options = []layers.IPv4Option{{OptionType: 7, OptionLength: 7, OptionData: make([]byte, 5)}}
	hopByHop := append([]byte{17, 0, 1, 4, 0, 0, 0, 0}, build(t, udp(), data)...)

	tests := []struct {
		name string
		link LinkType
		in   []byte
		want Parsed
	}{
		{"ethernet ipv4 tcp", LinkEthernet, build(t, ether(layers.EthernetTypeIPv4), gopacket.Payload(tcp4)), with(want4(ProtoTCP), tcpFields("hello"))},
		{"bytes after the ip packet are not payload", LinkEthernet, append(build(t, ether(layers.EthernetTypeIPv4), gopacket.Payload(tcp4)), 0, 0, 0), with(want4(ProtoTCP), tcpFields("hello"))},
		{"ethernet ipv6 udp", LinkEthernet, build(t, ether(layers.EthernetTypeIPv6), gopacket.Payload(udp6)), with(want6(ProtoUDP), udpFields("hello"))},
		{
			"one vlan tag", LinkEthernet,
			build(t, ether(layers.EthernetTypeDot1Q), &layers.Dot1Q{VLANIdentifier: 300, Priority: 5, Type: layers.EthernetTypeIPv4}, gopacket.Payload(tcp4)),
			with(with(want4(ProtoTCP), tcpFields("hello")), func(p *Parsed) { p.VLAN = 300 }),
		},
		{
			"qinq keeps the outermost id", LinkEthernet,
			build(t, ether(layers.EthernetTypeQinQ), &layers.Dot1Q{VLANIdentifier: 7, Type: layers.EthernetTypeDot1Q},
				&layers.Dot1Q{VLANIdentifier: 9, Type: layers.EthernetTypeIPv4}, gopacket.Payload(tcp4)),
			with(with(want4(ProtoTCP), tcpFields("hello")), func(p *Parsed) { p.VLAN = 7 }),
		},
		{
			"pppoe session", LinkEthernet,
			build(t, ether(layers.EthernetTypePPPoESession), gopacket.Payload(append([]byte{0x11, 0, 0, 1, 0, 47, 0, 0x21}, tcp4...))),
			with(want4(ProtoTCP), tcpFields("hello")),
		},
		{
			"mpls, two labels", LinkEthernet,
			build(t, ether(layers.EthernetTypeMPLSUnicast), gopacket.Payload(append([]byte{0, 1, 0, 64, 0, 2, 1, 64}, udp6...))),
			with(want6(ProtoUDP), udpFields("hello")),
		},
		{
			"802.3 with snap", LinkEthernet,
			append(append(append(append([]byte{}, mac2...), mac1...), 0, 53, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0), tcp4...),
			with(want4(ProtoTCP), tcpFields("hello")),
		},
		{
			"linux cooked, Ethernet", LinkLinuxSLL,
			append(append([]byte{0, 0, 0, 1, 0, 6}, append(mac1[:6:6], 0, 0, 8, 0)...), tcp4...),
			with(with(want4(ProtoTCP), tcpFields("hello")), func(p *Parsed) { copy(p.SrcMAC[:], mac1) }),
		},
		{
			"linux cooked v2, Ethernet", LinkSLL2,
			append(append([]byte{0x86, 0xdd, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6}, append(mac1[:6:6], 0, 0)...), udp6...),
			with(with(want6(ProtoUDP), udpFields("hello")), func(p *Parsed) { copy(p.SrcMAC[:], mac1) }),
		},
		{"linux cooked", LinkLinuxSLL, append(append(make([]byte, 14), 8, 0), tcp4...), with(want4(ProtoTCP), tcpFields("hello"))},
		{"linux cooked v2", LinkSLL2, append(append([]byte{0x86, 0xdd}, make([]byte, 18)...), udp6...), with(want6(ProtoUDP), udpFields("hello"))},
		{"raw ip", LinkRaw, tcp4, with(want4(ProtoTCP), tcpFields("hello"))},
		{"raw ipv6", LinkIPv6, udp6, with(want6(ProtoUDP), udpFields("hello"))},
		{"null little endian", LinkNull, append([]byte{2, 0, 0, 0}, tcp4...), with(want4(ProtoTCP), tcpFields("hello"))},
		{"loop big endian, macos ipv6", LinkLoop, append([]byte{0, 0, 0, 30}, udp6...), with(want6(ProtoUDP), udpFields("hello"))},
		{"ppp with address and control", LinkPPP, append([]byte{0xff, 3, 0, 0x21}, tcp4...), with(want4(ProtoTCP), tcpFields("hello"))},
		{"ppp compressed", LinkPPP, append([]byte{0x57}, udp6...), with(want6(ProtoUDP), udpFields("hello"))},
		{"cisco hdlc", LinkPPP, append([]byte{0x0f, 0, 8, 0}, tcp4...), with(want4(ProtoTCP), tcpFields("hello"))},
		{"ppi over ip", LinkPPI, append([]byte{0, 0, 8, 0, 101, 0, 0, 0}, tcp4...), with(want4(ProtoTCP), tcpFields("hello"))},
		{"ipv4 options", LinkRaw, build(t, withOptions, tcp(), data), with(want4(ProtoTCP), tcpFields("hello"))},
		{"ipv6 hop by hop", LinkRaw, append(build(t, ipv6(0), gopacket.Payload(hopByHop)), 0), with(want6(ProtoUDP), udpFields("hello"))},
		{
			"snapped payload", LinkRaw, tcp4[:len(tcp4)-3],
			with(with(want4(ProtoTCP), tcpFields("he")), func(p *Parsed) { p.PayloadLength = 5 }),
		},
		{
			"icmp echo", LinkRaw,
			build(t, ipv4(layers.IPProtocolICMPv4), &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(8, 0), Id: 77, Seq: 1}),
			with(want4(ProtoICMP), func(p *Parsed) { p.ICMPType, p.ICMPID, p.PayloadLength = 8, 77, 4 }),
		},
		{
			"icmpv6 error has no id", LinkRaw,
			build(t, ipv6(layers.IPProtocolICMPv6), gopacket.Payload([]byte{1, 4, 0, 0, 9, 9, 9, 9})),
			with(want6(ProtoICMPv6), func(p *Parsed) { p.ICMPType, p.ICMPCode, p.PayloadLength = 1, 4, 4 }),
		},
		{
			"sctp ports", LinkRaw, build(t, ipv4(layers.IPProtocolSCTP), &layers.SCTP{SrcPort: 1, DstPort: 2}),
			with(want4(ProtoSCTP), func(p *Parsed) { p.SrcPort, p.DstPort = 1, 2 }),
		},
		{
			"IPv4 code point", LinkRaw, build(t, &layers.IPv4{Version: 4, TTL: 64, TOS: 0xb9, Protocol: 89, SrcIP: net.IP{192, 0, 2, 1}, DstIP: net.IP{198, 51, 100, 2}}, data),
			with(want4(89), func(p *Parsed) { p.DSCP, p.Payload, p.PayloadLength = 46, []byte("hello"), 5 }),
		},
		{
			"IPv6 code point", LinkRaw, build(t, &layers.IPv6{Version: 6, HopLimit: 64, TrafficClass: 0xb9, NextHeader: 89, SrcIP: net.ParseIP("2001:db8::1"), DstIP: net.ParseIP("2001:db8::2")}, data),
			with(want6(89), func(p *Parsed) { p.DSCP, p.Payload, p.PayloadLength = 46, []byte("hello"), 5 }),
		},
		{"other protocol", LinkRaw, build(t, ipv4(89), data), with(want4(89), func(p *Parsed) { p.Payload, p.PayloadLength = []byte("hello"), 5 })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got Parsed
			Decode(&Raw{Data: tt.in, LinkType: tt.link, Length: len(tt.in)}, &got)
			ignore := cmpopts.IgnoreFields(Parsed{}, "Payload")
			if tt.want.Payload != nil {
				ignore = cmpopts.EquateEmpty()
			}
			got.IPLength, got.segment = 0, nil // TestIPLength and TestCheckTCP have them
			if tt.link == LinkEthernet {
				copy(tt.want.SrcMAC[:], mac1)
				copy(tt.want.DstMAC[:], mac2)
			}
			if diff := cmp.Diff(tt.want, got, ignore, cmp.AllowUnexported(Parsed{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestDecodeFragments(t *testing.T) {
	fragment4 := func(flags layers.IPv4Flag, offset uint16, body ...gopacket.SerializableLayer) []byte {
		ip := ipv4(layers.IPProtocolUDP)
		ip.Flags, ip.FragOffset = flags, offset
		return build(t, append([]gopacket.SerializableLayer{ip}, body...)...)
	}
	fragment6 := func(offset uint16) []byte {
		header := []byte{17, 0, byte(offset >> 8), byte(offset), 0, 0, 0, 5}
		return build(t, ipv6(ip6Fragment), gopacket.Payload(append(header, build(t, udp(), gopacket.Payload("hello"))...)))
	}
	tests := []struct {
		name    string
		in      []byte
		kind    Fragment
		id      uint32
		dstPort uint16
		drop    Drop
	}{
		{"whole, do not fragment", fragment4(layers.IPv4DontFragment, 0, udp(), gopacket.Payload("hello")), NotFragment, 0, 53, DropNone},
		{"first", fragment4(layers.IPv4MoreFragments, 0, udp(), gopacket.Payload("hello")), FirstFragment, 0x1234, 53, DropNone},
		{"later carries no ports", fragment4(0, 2, udp(), gopacket.Payload("hello")), LaterFragment, 0x1234, 0, DropNone},
		{"tiny first", fragment4(layers.IPv4MoreFragments, 0, gopacket.Payload("1234")), FirstFragment, 0x1234, 0, DropFragments},
		{"ipv6 first", fragment6(1), FirstFragment, 5, 53, DropNone},
		{"ipv6 later", fragment6(8), LaterFragment, 5, 0, DropNone},
		{"ipv6 atomic", fragment6(0), NotFragment, 0, 53, DropNone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p Parsed
			Decode(&Raw{Data: tt.in, LinkType: LinkRaw}, &p)
			if p.Fragment != tt.kind || p.FragmentID != tt.id || p.DstPort != tt.dstPort || p.Drop != tt.drop {
				t.Errorf("got fragment %d id %d port %d drop %v, want %d %d %d %v",
					p.Fragment, p.FragmentID, p.DstPort, p.Drop, tt.kind, tt.id, tt.dstPort, tt.drop)
			}
			if p.Proto != ProtoUDP {
				t.Errorf("got protocol %d, want 17", p.Proto)
			}
		})
	}
}

func TestDecodeDrop(t *testing.T) {
	tcp4 := build(t, ipv4(layers.IPProtocolTCP), tcp())
	badOffset := append([]byte(nil), tcp4...)
	badOffset[20+12] = 0x40
	shortTotal := append([]byte(nil), tcp4...)
	binary.BigEndian.PutUint16(shortTotal[2:], 8)
	vlans := build(t, ether(layers.EthernetTypeDot1Q))[:14]
	for range 20 {
		vlans = append(vlans, 0, 1, 0x81, 0)
	}
	tests := []struct {
		name string
		link LinkType
		in   []byte
		want Drop
	}{
		{"empty", LinkEthernet, nil, DropShort},
		{"arp", LinkEthernet, build(t, ether(layers.EthernetTypeARP), gopacket.Payload(make([]byte, 28))), DropLink},
		{"unknown link type", LinkType(147), tcp4, DropLink},
		{"endless vlan tags", LinkEthernet, vlans, DropHeader},
		{"tcp header cut by the capture", LinkRaw, tcp4[:30], DropShort},
		{"tcp offset below the minimum", LinkRaw, badOffset, DropHeader},
		{"total length below the header", LinkRaw, shortTotal, DropHeader},
		{"ppi within ppi", LinkPPI, []byte{0, 0, 8, 0, 192, 0, 0, 0, 1}, DropHeader},
		{"neither 4 nor 6", LinkRaw, []byte{0x50}, DropLink},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p Parsed
			Decode(&Raw{Data: tt.in, LinkType: tt.link}, &p)
			if p.Drop != tt.want {
				t.Errorf("got %v, want %v", p.Drop, tt.want)
			}
		})
	}
}

func TestDecodeNoAllocs(t *testing.T) {
	data := build(t, ether(layers.EthernetTypeIPv4), ipv4(layers.IPProtocolTCP), tcp(), gopacket.Payload("x"))
	raw := &Raw{Data: data, LinkType: LinkEthernet}
	var p Parsed
	if n := testing.AllocsPerRun(100, func() { Decode(raw, &p) }); n != 0 {
		t.Errorf("got %v allocations a packet, want 0", n)
	}
}

func BenchmarkDecode(b *testing.B) {
	data := build(b, ether(layers.EthernetTypeIPv4), ipv4(layers.IPProtocolTCP), tcp(), gopacket.Payload("hello"))
	b.Run("packet", func(b *testing.B) {
		raw, p := &Raw{Data: data, LinkType: LinkEthernet}, Parsed{}
		b.ReportAllocs()
		for b.Loop() {
			Decode(raw, &p)
		}
	})
	b.Run("gopacket", func(b *testing.B) {
		var (
			eth  layers.Ethernet
			ip4  layers.IPv4
			tcpL layers.TCP
			body gopacket.Payload
			got  []gopacket.LayerType
		)
		parser := gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &eth, &ip4, &tcpL, &body)
		parser.IgnoreUnsupported = true // the payload is not to be looked into
		b.ReportAllocs()
		for b.Loop() {
			if err := parser.DecodeLayers(data, &got); err != nil {
				b.Fatal(err)
			}
		}
	})
}
