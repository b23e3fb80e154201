package evasion

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/netpol/netpol/enforcer/packet"
)

// frame is one packet as it is on the wire.
type frame struct {
	data []byte
	link packet.LinkType
	time int64
}

// Addresses of documentation (RFC 5737, RFC 3849).
var (
	client4 = netip.MustParseAddr("192.0.2.10")
	server4 = netip.MustParseAddr("198.51.100.20")
	client6 = netip.MustParseAddr("2001:db8:1::10")
	server6 = netip.MustParseAddr("2001:db8:2::20")
)

// ones is the Internet checksum of parts (RFC 1071).
func ones(parts ...[]byte) uint16 {
	var n uint32
	odd := false
	for _, b := range parts {
		for _, v := range b {
			if odd {
				n += uint32(v)
			} else {
				n += uint32(v) << 8
			}
			odd = !odd
		}
	}
	for n > 0xffff {
		n = n>>16 + n&0xffff
	}
	return ^uint16(n)
}

// pseudo is the pseudo header of TCP and UDP (RFC 9293, 3.1; RFC 8200, 8.1).
func pseudo(src, dst netip.Addr, proto byte, length int) []byte {
	b := slices.Concat(src.AsSlice(), dst.AsSlice())
	b = binary.BigEndian.AppendUint32(b, uint32(length))
	return append(b, 0, 0, 0, proto)
}

// segment is a TCP segment.
type segment struct {
	src, dst netip.AddrPort
	seq, ack uint32
	flags    byte
	urgent   uint16
	options  []byte // a multiple of four bytes
	payload  []byte
	ttl      byte // 64 when 0
	badSum   bool
	noWindow bool // the window is closed
}

func (s *segment) bytes() []byte {
	b := make([]byte, 20, 20+len(s.options)+len(s.payload))
	binary.BigEndian.PutUint16(b, s.src.Port())
	binary.BigEndian.PutUint16(b[2:], s.dst.Port())
	binary.BigEndian.PutUint32(b[4:], s.seq)
	binary.BigEndian.PutUint32(b[8:], s.ack)
	b[12], b[13] = byte(5+len(s.options)/4)<<4, s.flags
	if !s.noWindow {
		binary.BigEndian.PutUint16(b[14:], 64240)
	}
	binary.BigEndian.PutUint16(b[18:], s.urgent)
	b = append(append(b, s.options...), s.payload...)
	sum := ones(pseudo(s.src.Addr(), s.dst.Addr(), packet.ProtoTCP, len(b)), b)
	if s.badSum {
		sum ^= 0x5555
	}
	binary.BigEndian.PutUint16(b[16:], sum)
	return b
}

// datagram is a UDP datagram.
func datagram(src, dst netip.AddrPort, payload []byte) []byte {
	b := make([]byte, 8, 8+len(payload))
	binary.BigEndian.PutUint16(b, src.Port())
	binary.BigEndian.PutUint16(b[2:], dst.Port())
	binary.BigEndian.PutUint16(b[4:], uint16(8+len(payload)))
	b = append(b, payload...)
	binary.BigEndian.PutUint16(b[6:], ones(pseudo(src.Addr(), dst.Addr(), packet.ProtoUDP, len(b)), b))
	return b
}

// header is an IP header.
type header struct {
	src, dst netip.Addr
	proto    byte
	ttl      byte
	id       uint16
	offset   int // of a fragment, in bytes
	more     bool
}

// around puts the header before body.
func (h header) around(body []byte) []byte {
	if h.ttl == 0 {
		h.ttl = 64
	}
	if h.src.Is6() {
		b := []byte{0x60, 0, 0, 0, 0, 0, h.proto, h.ttl}
		binary.BigEndian.PutUint16(b[4:], uint16(len(body)))
		return slices.Concat(b, h.src.AsSlice(), h.dst.AsSlice(), body)
	}
	b := make([]byte, 12, 20+len(body))
	b[0], b[8], b[9] = 0x45, h.ttl, h.proto
	binary.BigEndian.PutUint16(b[2:], uint16(20+len(body)))
	binary.BigEndian.PutUint16(b[4:], h.id)
	fragment := uint16(h.offset / 8)
	if h.more {
		fragment |= 0x2000
	}
	binary.BigEndian.PutUint16(b[6:], fragment)
	b = append(append(b, h.src.AsSlice()...), h.dst.AsSlice()...)
	binary.BigEndian.PutUint16(b[10:], ones(b))
	return append(b, body...)
}

// fragment6 is a fragment header (RFC 8200, 4.5) and its part of the datagram.
func fragment6(next byte, id uint32, offset int, more bool, body []byte) []byte {
	b := []byte{next, 0}
	field := uint16(offset)
	if more {
		field |= 1
	}
	b = binary.BigEndian.AppendUint16(b, field)
	return append(binary.BigEndian.AppendUint32(b, id), body...)
}

// ethernet is a frame with the given type and anything between it and the
// addresses.
func ethernet(etherType uint16, body []byte) []byte {
	b := []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}
	return append(binary.BigEndian.AppendUint16(b, etherType), body...)
}

// Ethernet types.
const (
	typeIPv4 = 0x0800
	typeIPv6 = 0x86dd
)

// etherTypeOf is the type of an IP packet.
func etherTypeOf(ip []byte) uint16 {
	if ip[0]>>4 == 6 {
		return typeIPv6
	}
	return typeIPv4
}
