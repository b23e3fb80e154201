package lab

import (
	"encoding/binary"
	"net/netip"
)

// Header lengths in bytes (IEEE 802.3; RFC 791 section 3.1; RFC 8200 section 3).
const (
	ethernetLen = 14
	ipv4Len     = 20
	ipv6Len     = 40
)

// IP protocol numbers with ports where the lab looks for them.
const (
	protoTCP = 6
	protoUDP = 17
)

// sight reads an IP packet's header. Ports are read of unfragmented TCP and UDP
// without IPv6 extension headers, which is what the lab sends.
func sight(b []byte) (Sighting, bool) {
	if len(b) < ipv4Len {
		return Sighting{}, false
	}
	switch b[0] >> 4 {
	case 4:
		header := int(b[0]&0x0f) * 4
		if header < ipv4Len || len(b) < header {
			return Sighting{}, false
		}
		s := Sighting{TOS: b[1], TTL: b[8], Proto: b[9], Length: int(binary.BigEndian.Uint16(b[2:]))}
		src, dst := ports(s.Proto, b[header:])
		s.Src = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[12:])), src)
		s.Dst = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[16:])), dst)
		return s, true
	case 6:
		if len(b) < ipv6Len {
			return Sighting{}, false
		}
		s := Sighting{TOS: b[0]<<4 | b[1]>>4, TTL: b[7], Proto: b[6], Length: ipv6Len + int(binary.BigEndian.Uint16(b[4:]))}
		src, dst := ports(s.Proto, b[ipv6Len:])
		s.Src = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[8:])), src)
		s.Dst = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[24:])), dst)
		return s, true
	}
	return Sighting{}, false
}

func ports(proto uint8, b []byte) (src, dst uint16) {
	if proto != protoTCP && proto != protoUDP || len(b) < 4 {
		return 0, 0
	}
	return binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
}
