package packet

import "encoding/binary"

// Ethernet frame types (IEEE 802 numbers).
const (
	etherIPv4    = 0x0800
	etherIPv6    = 0x86dd
	etherVLAN    = 0x8100
	etherQinQ    = 0x88a8
	etherQinQOld = 0x9100
	etherPPPoE   = 0x8864
	etherMPLS    = 0x8847
	// Below this value the field is a length (IEEE 802.3, 3.2.6).
	etherMinType = 0x0600
)

// PPP protocol numbers (IANA ppp-numbers).
const (
	pppIPv4 = 0x0021
	pppIPv6 = 0x0057
)

const (
	ethernetHeader = 14
	sllHeader      = 16
	sll2Header     = 20
	nullHeader     = 4
	pppoeHeader    = 6 // without the PPP protocol field
	// PPI: version, flags, length (LE16), DLT (LE32); CACE PPI specification 1.0.
	ppiHeader = 8
	// maxLayers bounds how many VLAN tags, MPLS labels and link headers are
	// followed, so that a crafted packet cannot buy more work than this.
	maxLayers = 8
)

// Decode reads raw into p, overwriting all of it. It never fails: what cannot
// be read leaves p.Drop set.
func Decode(raw *Raw, p *Parsed) {
	*p = Parsed{} // alone: with a field it is built elsewhere and copied, 5 ns more
	if raw.LinkType == LinkEthernet && decodeCommon(raw.Data, p) {
		return
	}
	p.SrcMAC = raw.SourceMAC
	decodeLink(raw.LinkType, raw.Data, p)
}

func decodeLink(link LinkType, b []byte, p *Parsed) {
	switch link {
	case LinkEthernet:
		if len(b) < ethernetHeader {
			p.Drop = DropShort
			return
		}
		copy(p.DstMAC[:], b)
		copy(p.SrcMAC[:], b[6:])
		decodeEther(binary.BigEndian.Uint16(b[12:]), b[ethernetHeader:], p)
	case LinkRaw, LinkRawBSD, LinkRawOpen, LinkIPv4, LinkIPv6:
		decodeIP(b, p)
	case LinkLinuxSLL:
		if len(b) < sllHeader {
			p.Drop = DropShort
			return
		}
		cookedMAC(b[2:4], int(binary.BigEndian.Uint16(b[4:])), b[6:], p)
		decodeEther(binary.BigEndian.Uint16(b[14:]), b[sllHeader:], p)
	case LinkSLL2:
		if len(b) < sll2Header {
			p.Drop = DropShort
			return
		}
		cookedMAC(b[8:10], int(b[11]), b[12:], p)
		decodeEther(binary.BigEndian.Uint16(b), b[sll2Header:], p)
	case LinkNull, LinkLoop:
		decodeNull(b, p)
	case LinkPPP, LinkPPPHDLC, LinkCHDLC:
		decodePPP(b, p)
	case LinkPPPoE:
		decodeEther(etherPPPoE, b, p)
	case LinkPPI:
		decodePPI(b, p)
	case LinkWiFi, LinkPrism, LinkRadiotap, LinkAVS:
		decodeWiFi(link, b, p)
	default:
		p.Drop = DropLink
	}
}

// decodeEther follows VLAN tags, PPPoE and MPLS down to IP.
func decodeEther(etherType uint16, b []byte, p *Parsed) {
	for range maxLayers {
		switch etherType {
		case etherIPv4:
			decodeIPv4(b, p)
			return
		case etherIPv6:
			decodeIPv6(b, p)
			return
		case etherVLAN, etherQinQ, etherQinQOld:
			if len(b) < 4 {
				p.Drop = DropShort
				return
			}
			if p.VLAN == 0 {
				p.VLAN = binary.BigEndian.Uint16(b) & 0x0fff
			}
			etherType, b = binary.BigEndian.Uint16(b[2:]), b[4:]
		case etherPPPoE:
			if len(b) < pppoeHeader {
				p.Drop = DropShort
				return
			}
			decodePPPProtocol(b[pppoeHeader:], p)
			return
		case etherMPLS:
			decodeMPLS(b, p)
			return
		default:
			if etherType >= etherMinType || !isSNAP(b) {
				p.Drop = DropLink
				return
			}
			etherType, b = binary.BigEndian.Uint16(b[6:]), b[8:]
		}
	}
	p.Drop = DropHeader
}

// cookedMAC reads the sender's address of a Linux cooked capture, which has
// one when the device is Ethernet (ARPHRD_ETHER, linux/if_arp.h).
func cookedMAC(device []byte, length int, addr []byte, p *Parsed) {
	if device[0] == 0 && device[1] == 1 && length == len(p.SrcMAC) {
		copy(p.SrcMAC[:], addr)
	}
}

// isSNAP says that b begins with an LLC header and the SNAP header of an
// Ethernet type (RFC 1042).
func isSNAP(b []byte) bool {
	return len(b) >= 8 && b[0] == 0xaa && b[1] == 0xaa && b[2] == 3 && b[3]|b[4]|b[5] == 0
}

// decodeMPLS drops labels up to the bottom of the stack (RFC 3032); what
// follows is IP when its first half byte says so (RFC 4928).
func decodeMPLS(b []byte, p *Parsed) {
	for range maxLayers {
		if len(b) < 4 {
			p.Drop = DropShort
			return
		}
		bottom := b[2]&1 != 0
		b = b[4:]
		if bottom {
			decodeIP(b, p)
			return
		}
	}
	p.Drop = DropHeader
}

// decodeNull reads the address family of BSD loopback captures; its byte
// order is that of the capturing machine, and IPv6 has a number per system.
func decodeNull(b []byte, p *Parsed) {
	if len(b) < nullHeader {
		p.Drop = DropShort
		return
	}
	family := binary.LittleEndian.Uint32(b)
	if family > 0xffff {
		family = binary.BigEndian.Uint32(b)
	}
	switch family {
	case 2: // AF_INET everywhere
		decodeIPv4(b[nullHeader:], p)
	case 10, 24, 28, 30: // AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, macOS
		decodeIPv6(b[nullHeader:], p)
	default:
		p.Drop = DropLink
	}
}

// decodePPP reads PPP in HDLC-like framing (RFC 1662), with or without the
// address and control bytes, and Cisco HDLC, which captures also label PPP.
func decodePPP(b []byte, p *Parsed) {
	if len(b) < 4 {
		p.Drop = DropShort
		return
	}
	switch {
	case b[0] == 0xff && b[1] == 0x03:
		decodePPPProtocol(b[2:], p)
	case (b[0] == 0x0f || b[0] == 0x8f) && b[1] == 0:
		decodeEther(binary.BigEndian.Uint16(b[2:]), b[4:], p)
	default:
		decodePPPProtocol(b, p)
	}
}

// decodePPPProtocol reads the one- or two-byte protocol field (RFC 1661, 2):
// the last byte is odd, the others are even.
func decodePPPProtocol(b []byte, p *Parsed) {
	if len(b) < 2 {
		p.Drop = DropShort
		return
	}
	proto, rest := uint16(b[0]), b[1:]
	if b[0]&1 == 0 {
		proto, rest = binary.BigEndian.Uint16(b), b[2:]
	}
	switch proto {
	case pppIPv4:
		decodeIPv4(rest, p)
	case pppIPv6:
		decodeIPv6(rest, p)
	default:
		p.Drop = DropLink
	}
}

// decodePPI steps over the per-packet information header.
func decodePPI(b []byte, p *Parsed) {
	if len(b) < ppiHeader {
		p.Drop = DropShort
		return
	}
	length := int(binary.LittleEndian.Uint16(b[2:]))
	inner := LinkType(binary.LittleEndian.Uint32(b[4:]))
	if length < ppiHeader || length > len(b) || inner == LinkPPI {
		p.Drop = DropHeader
		return
	}
	decodeLink(inner, b[length:], p)
}
