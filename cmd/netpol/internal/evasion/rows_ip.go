package evasion

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/netpol/netpol/enforcer/packet"
)

// piece is a fragment: the bytes [from, to) of a datagram; change is added to
// each of them.
type piece struct {
	from, to int // to 0 is the end
	change   byte
}

// inPieces sends IP packets of more than 100 bytes in fragments, in the given
// order.
func inPieces(pieces ...piece) func(ip []byte) [][]byte {
	return func(ip []byte) [][]byte {
		if len(ip) < 100 {
			return [][]byte{ip}
		}
		var list [][]byte
		for _, p := range pieces {
			list = append(list, fragmentOf(ip, p))
		}
		return list
	}
}

// fragmentOf is a part of an IPv4 or IPv6 packet.
func fragmentOf(ip []byte, p piece) []byte {
	length := 20
	if ip[0]>>4 == 6 {
		length = 40
	}
	body := ip[length:]
	to := p.to
	if to == 0 {
		to = len(body)
	}
	part := slices.Clone(body[p.from:to])
	for i := range part {
		part[i] += p.change
	}
	if length == 40 {
		h := header{src: addr(ip[8:24]), dst: addr(ip[24:40]), proto: 44}
		return h.around(fragment6(ip[6], 77, p.from, to < len(body), part))
	}
	h := header{src: addr(ip[12:16]), dst: addr(ip[16:20]), proto: ip[9], id: 77, offset: p.from, more: to < len(body)}
	return h.around(part)
}

func addr(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(b)
	return a
}

// fragmentRows cut IP packets.
func fragmentRows() []Row {
	cut := func(pieces ...piece) func() *script {
		return func() *script {
			s := newScript().open()
			s.mangle = inPieces(pieces...)
			return s.say(plain(), 0).hello()
		}
	}
	six := func(mangle func(ip []byte) [][]byte) func() *script {
		return func() *script {
			s := newScript().six().open()
			s.mangle = mangle
			return s.say(plain(), 0).hello()
		}
	}
	return []Row{
		{29, "IPv4 fragments", []variant{
			{"first of 8 bytes", found(), cut(piece{0, 8, 0}, piece{8, 0, 0})},
			{"overlap, same data", found(), cut(piece{0, 64, 0}, piece{56, 0, 0})},
			{"overlap, other data", flagged(), cut(piece{0, 64, 0}, piece{56, 96, 1}, piece{96, 0, 0})},
			{"reversed", found(), cut(piece{80, 0, 0}, piece{40, 80, 0}, piece{0, 40, 0})},
			{"same id twice", found(), func() *script {
				s := newScript().open()
				s.mangle = inPieces(piece{0, 64, 0}, piece{64, 0, 0})
				return s.say(plain()[:90], 0).say(plain()[90:], 0).hello()
			}},
			{"never completed: nothing reaches the server", Outcome{}, func() *script {
				s := newScript().open()
				s.mangle = inPieces(piece{64, 0, 0})
				return s.say(plain(), 0)
			}},
		}},
		{30, "IPv6 extension headers", []variant{
			{"fragments", found(), six(inPieces(piece{64, 0, 0}, piece{0, 64, 0}))},
			{"8 destination options in fragments", found(), six(func(ip []byte) [][]byte {
				return inPieces(piece{0, 48, 0}, piece{48, 0, 0})(withExtensions(ip, 60, 8))
			})},
			{"atomic fragment", found(), six(func(ip []byte) [][]byte {
				return [][]byte{fragmentOf(ip, piece{})}
			})},
			{"routing header", found(), six(func(ip []byte) [][]byte { return [][]byte{withExtensions(ip, 43, 1)} })},
		}},
		{36, "wrapped", wrappedVariants()},
	}
}

// withExtensions puts n empty extension headers of a kind into an IPv6 packet.
func withExtensions(ip []byte, kind byte, n int) []byte {
	next := ip[6]
	var chain []byte
	for i := range n {
		following := kind
		if i == n-1 {
			following = next
		}
		one := []byte{following, 0, 1, 4, 0, 0, 0, 0} // one PadN option of 4 bytes
		if kind == 43 {
			one = []byte{following, 0, 4, 0, 0, 0, 0, 0} // a segment list without segments left
		}
		chain = append(chain, one...)
	}
	out := slices.Concat(ip[:40], chain, ip[40:])
	out[6] = kind
	binary.BigEndian.PutUint16(out[4:], uint16(len(out)-40))
	return out
}

// wrappedVariants carry the connection in something else.
func wrappedVariants() []variant {
	outer := func(proto byte, body []byte) []byte {
		h := header{src: netip.MustParseAddr("203.0.113.1"), dst: netip.MustParseAddr("203.0.113.2"), proto: proto}
		return ethernet(typeIPv4, h.around(body))
	}
	outer6 := func(proto byte, body []byte) []byte {
		h := header{src: client6, dst: server6, proto: proto}
		return ethernet(typeIPv6, h.around(body))
	}
	udp := func(port uint16, body []byte) []byte {
		a := netip.AddrPortFrom(netip.MustParseAddr("203.0.113.1"), 55555)
		b := netip.AddrPortFrom(netip.MustParseAddr("203.0.113.2"), port)
		return outer(packet.ProtoUDP, datagram(a, b, body))
	}
	tag := func(typ uint16, body []byte) []byte { return ethernet(typ, slices.Concat([]byte{0, 5, 8, 0}, body)) }
	wraps := []struct {
		name string
		wrap func(ip []byte) []byte
	}{
		{"VLAN", func(ip []byte) []byte { return tag(0x8100, ip) }},
		{"QinQ", func(ip []byte) []byte { return ethernet(0x88a8, slices.Concat([]byte{0, 9, 0x81, 0, 0, 5, 8, 0}, ip)) }},
		{"PPPoE", func(ip []byte) []byte {
			return ethernet(0x8864, slices.Concat([]byte{0x11, 0, 0, 1, byte((len(ip) + 2) >> 8), byte(len(ip) + 2), 0, 0x21}, ip))
		}},
		{"MPLS", func(ip []byte) []byte { return ethernet(0x8847, slices.Concat([]byte{0, 1, 0, 64, 0, 2, 1, 64}, ip)) }},
		{"GRE", func(ip []byte) []byte { return outer(47, slices.Concat([]byte{0, 0, 8, 0}, ip)) }},
		{"VXLAN", func(ip []byte) []byte {
			return udp(4789, slices.Concat([]byte{8, 0, 0, 0, 0, 0, 7, 0}, ethernet(typeIPv4, ip)))
		}},
		{"GENEVE", func(ip []byte) []byte {
			return udp(6081, slices.Concat([]byte{0, 0, 0x65, 0x58, 0, 0, 7, 0}, ethernet(typeIPv4, ip)))
		}},
		{"GTP-U", func(ip []byte) []byte {
			return udp(2152, slices.Concat([]byte{0x30, 0xff, byte(len(ip) >> 8), byte(len(ip)), 0, 0, 0, 9}, ip))
		}},
		{"4in6", func(ip []byte) []byte { return outer6(4, ip) }},
		{"GRE in VXLAN", func(ip []byte) []byte {
			return udp(4789, slices.Concat([]byte{8, 0, 0, 0, 0, 0, 7, 0}, outer(47, slices.Concat([]byte{0, 0, 8, 0}, ip))))
		}},
	}
	list := make([]variant, 0, len(wraps)+1)
	for _, w := range wraps {
		list = append(list, variant{w.name, found(), func() *script {
			s := newScript()
			s.wrap = w.wrap
			return s.open().say(plain(), 0).hello()
		}})
	}
	return append(list, variant{"6in4", found(), func() *script {
		s := newScript().six()
		s.wrap = func(ip []byte) []byte { return outer(41, ip) }
		return s.open().say(plain(), 0).hello()
	}})
}
