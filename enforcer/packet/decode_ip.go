package packet

import "encoding/binary"

// IPv6 extension headers that Decode steps over (RFC 8200, section 4, and the
// IANA list). AH and ESP are not among them: they are the flow's protocol.
const (
	ip6HopByHop    = 0
	ip6Routing     = 43
	ip6Fragment    = 44
	ip6Destination = 60
	ip6Mobility    = 135
	ip6HIP         = 139
	ip6Shim6       = 140
	// maxExtensions is more than any packet that makes sense carries; RFC 8200
	// recommends at most one of each kind.
	maxExtensions = 10
)

func decodeIP(b []byte, p *Parsed) {
	if len(b) == 0 {
		p.Drop = DropShort
		return
	}
	switch b[0] >> 4 {
	case 4:
		decodeIPv4(b, p)
	case 6:
		decodeIPv6(b, p)
	default:
		p.Drop = DropLink
	}
}

func decodeIPv4(b []byte, p *Parsed) {
	if len(b) < ipv4Header {
		p.Drop = DropShort
		return
	}
	header := int(b[0]&0x0f) * 4
	total := int(binary.BigEndian.Uint16(b[2:]))
	if total == 0 {
		total = len(b) // segmentation offload leaves it 0 (Linux, tx path)
	}
	if b[0]>>4 != 4 || header < ipv4Header || total < header {
		p.Drop = DropHeader
		return
	}
	if len(b) < header {
		p.Drop = DropShort
		return
	}
	p.IPVersion, p.IPLength = 4, total
	p.DSCP = b[1] >> 2
	p.Proto = b[9]
	mapIPv4(&p.Src, b[12:])
	mapIPv4(&p.Dst, b[16:])
	if frag := binary.BigEndian.Uint16(b[6:]); frag&0x3fff != 0 {
		p.FragmentID = uint32(binary.BigEndian.Uint16(b[4:]))
		p.fragment(frag<<3, frag&0x2000 != 0)
	}
	b = b[header:min(total, len(b))]
	if p.Fragment != NotFragment {
		p.body = b
	}
	decodeL4(b, total-header, p)
}

func decodeIPv6(b []byte, p *Parsed) {
	if len(b) < 40 {
		p.Drop = DropShort
		return
	}
	if b[0]>>4 != 6 {
		p.Drop = DropHeader
		return
	}
	length := int(binary.BigEndian.Uint16(b[4:]))
	if length == 0 {
		length = len(b) - 40 // jumbogram or segmentation offload
	}
	p.IPVersion, p.IPLength = 6, 40+length
	p.DSCP = uint8(binary.BigEndian.Uint16(b) >> 6 & 0x3f) // traffic class without ECN
	copy(p.Src[:], b[8:24])
	copy(p.Dst[:], b[24:40])
	next := b[6]
	b = b[40:]
	decodeExtensions(next, b[:min(length, len(b))], length, p)
}

// decodeExtensions steps over the headers between IPv6's and the transport's.
// length is how many bytes b had on the wire.
func decodeExtensions(next uint8, b []byte, length int, p *Parsed) {
	for range maxExtensions {
		size, ok := extensionSize(next, b)
		switch {
		case !ok || p.Fragment == LaterFragment:
			p.Proto = next
			decodeL4(b, length, p)
			return
		case size > length:
			p.Drop = DropHeader
			return
		case size > len(b):
			p.Drop = DropShort
			return
		}
		if next == ip6Fragment && p.Fragment == NotFragment {
			decodeFragment6(b, p)
		}
		next, b, length = b[0], b[size:], length-size
	}
	p.Drop = DropHeader
}

// extensionSize is how long the extension header at b is; ok is false when
// next is not an extension header. A size that b does not hold is for the
// caller to see.
func extensionSize(next uint8, b []byte) (size int, ok bool) {
	switch next {
	case ip6Fragment:
		return 8, true
	case ip6HopByHop, ip6Routing, ip6Destination, ip6Mobility, ip6HIP, ip6Shim6:
		if len(b) < 2 {
			return 8, true
		}
		return int(b[1])*8 + 8, true
	}
	return 0, false
}

// decodeFragment6 reads an IPv6 fragment header. An atomic fragment (offset 0,
// nothing follows) is a whole packet (RFC 6946).
func decodeFragment6(b []byte, p *Parsed) {
	offset := binary.BigEndian.Uint16(b[2:])
	if offset&0xfff9 == 0 {
		return
	}
	p.FragmentID = binary.BigEndian.Uint32(b[4:])
	p.fragment(offset&0xfff8, offset&1 != 0)
	p.next, p.body = b[0], b[8:]
}

// fragment notes that the packet is one, and where it belongs.
func (p *Parsed) fragment(offset uint16, more bool) {
	p.FragmentOffset, p.MoreFragments = offset, more
	p.Fragment = FirstFragment
	if offset != 0 {
		p.Fragment = LaterFragment
	}
}

// decodeL4 reads the transport header. length is what the IP header says is
// there, which may be more than was captured.
func decodeL4(b []byte, length int, p *Parsed) {
	if p.Fragment == LaterFragment {
		// A later fragment's first bytes are not a header. Reading ports out of
		// them would let a sender place a flow where it likes (RFC 1858).
		p.PayloadLength = length
		return
	}
	switch p.Proto {
	case ProtoTCP:
		decodeTCP(b, length, p)
	case ProtoUDP, ProtoUDPLite:
		decodePorts(b, length, udpHeader, p)
	case ProtoSCTP:
		decodePorts(b, length, 12, p)
	case ProtoICMP, ProtoICMPv6:
		decodeICMP(b, length, p)
	default:
		p.Payload, p.PayloadLength = b, length
	}
}

// short marks a header that is not whole. In a first fragment that is a
// deliberate act (RFC 1858, tiny fragment), not a short capture.
func short(b []byte, length, need int, p *Parsed) bool {
	switch {
	case len(b) >= need:
		return false
	case p.Fragment == FirstFragment && length < need:
		p.Drop = DropFragments
	case length < need:
		p.Drop = DropHeader
	default:
		p.Drop = DropShort
	}
	return true
}

func decodeTCP(b []byte, length int, p *Parsed) {
	if short(b, length, tcpHeader, p) {
		return
	}
	p.SrcPort = binary.BigEndian.Uint16(b)
	p.DstPort = binary.BigEndian.Uint16(b[2:])
	p.Seq = binary.BigEndian.Uint32(b[4:])
	p.Ack = binary.BigEndian.Uint32(b[8:])
	p.TCPFlags = b[13]
	p.Window = binary.BigEndian.Uint16(b[14:])
	header := int(b[12]>>4) * 4
	if header < tcpHeader || header > length {
		p.Drop = DropHeader
		return
	}
	p.PayloadLength = length - header
	if len(b) > header {
		p.Payload = b[header:]
	}
	if p.Fragment == NotFragment && len(b) == length {
		p.segment = b
	}
}

// decodePorts reads protocols whose header begins with two ports and has a
// fixed size.
func decodePorts(b []byte, length, header int, p *Parsed) {
	if short(b, length, header, p) {
		return
	}
	p.SrcPort = binary.BigEndian.Uint16(b)
	p.DstPort = binary.BigEndian.Uint16(b[2:])
	said := int(binary.BigEndian.Uint16(b[4:])) - header
	b, length = b[header:], length-header
	if p.Proto == ProtoUDP && p.Fragment == NotFragment {
		b, length = cutDatagram(b, length, said)
	}
	p.Payload, p.PayloadLength = b, length
}

func decodeICMP(b []byte, length int, p *Parsed) {
	if short(b, length, 4, p) {
		return
	}
	p.ICMPType, p.ICMPCode = b[0], b[1]
	if len(b) >= 8 && hasICMPID(p.Proto, p.ICMPType) {
		p.ICMPID = binary.BigEndian.Uint16(b[4:])
	}
	p.Payload, p.PayloadLength = b[4:], length-4
}

// hasICMPID says that messages of the type are queries or replies that carry
// an identifier.
func hasICMPID(proto, icmpType uint8) bool {
	if proto == ProtoICMPv6 {
		return icmpType == icmp6Echo || icmpType == icmp6EchoReply
	}
	switch icmpType {
	case icmpEcho, icmpEchoReply, icmpTimestamp, icmpTimestampRepl,
		icmpInfoRequest, icmpInfoReply, icmpAddressMask, icmpAddressRepl:
		return true
	}
	return false
}

// ICMPQuery says that the packet belongs to a conversation of its own, as
// conntrack sees it; ICMP errors belong to the flow they complain of.
func (p *Parsed) ICMPQuery() bool {
	switch p.Proto {
	case ProtoICMP, ProtoICMPv6:
		return hasICMPID(p.Proto, p.ICMPType)
	}
	return false
}
