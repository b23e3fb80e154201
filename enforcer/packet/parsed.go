package packet

import "net/netip"

// Drop says why a packet could not be decoded down to layer 4.
type Drop uint8

// Reasons. DropNone is the zero value: the packet was understood.
const (
	DropNone      Drop = iota
	DropLink           // link type or frame type that carries no IP we read
	DropShort          // the captured bytes end inside a header
	DropHeader         // a header contradicts itself
	DropFragments      // the L4 header of a first fragment is not whole (RFC 1858 tiny fragment)
)

// String is the word counters and logs use for the reason.
func (d Drop) String() string {
	switch d {
	case DropNone:
		return "none"
	case DropLink:
		return "link"
	case DropShort:
		return "short"
	case DropHeader:
		return "header"
	case DropFragments:
		return "fragment"
	}
	return "unknown"
}

// Fragment says which part of an IP datagram a packet is.
type Fragment uint8

// Fragments.
const (
	NotFragment   Fragment = iota
	FirstFragment          // offset 0, more follow: ports and the payload's beginning are there
	LaterFragment          // no L4 header: ports are 0 and Payload is nil
)

// IP protocol numbers that Decode looks into (IANA protocol-numbers).
const (
	ProtoICMP    = 1
	ProtoTCP     = 6
	ProtoUDP     = 17
	ProtoICMPv6  = 58
	ProtoSCTP    = 132
	ProtoUDPLite = 136
)

// TCP flag bits (RFC 9293, section 3.1).
const (
	FIN = 0x01
	SYN = 0x02
	RST = 0x04
	PSH = 0x08
	ACK = 0x10
	URG = 0x20
)

// ICMP types that carry an identifier naming a conversation (RFC 792, RFC 4443);
// conntrack keeps an entry for these only.
const (
	icmpEchoReply     = 0
	icmpEcho          = 8
	icmpTimestamp     = 13
	icmpTimestampRepl = 14
	icmpInfoRequest   = 15
	icmpInfoReply     = 16
	icmpAddressMask   = 17
	icmpAddressRepl   = 18
	icmp6Echo         = 128
	icmp6EchoReply    = 129
)

// Parsed is the decoded view of one packet. It is reused from packet to packet;
// its slices point into Raw.Data. Addresses are 16 bytes, IPv4 in its mapped
// form (::ffff:a.b.c.d), so that they need no pointers and compare as bytes.
type Parsed struct {
	Src, Dst [16]byte // valid iff IPVersion is 4 or 6
	// SrcPort and DstPort are valid iff Proto is TCP, UDP, UDP-Lite or SCTP and
	// Fragment is not LaterFragment; 0 otherwise.
	SrcPort, DstPort uint16
	// SrcMAC and DstMAC are hardware addresses, zero when not known: of the
	// link that the packet was seen on, which is not always the ends'.
	SrcMAC, DstMAC [6]byte
	VLAN           uint16 // outermost VLAN id, 0 for none
	DSCP           uint8  // differentiated services code point (RFC 2474); valid iff IPVersion is 4 or 6
	Proto          uint8  // IP protocol number, after IPv6 extension headers
	IPVersion      uint8  // 4, 6, or 0 when no IP header was found
	Drop           Drop
	Fragment       Fragment
	TCPFlags       uint8  // valid iff Proto is TCP
	ICMPType       uint8  // valid iff Proto is ICMP or ICMPv6
	ICMPCode       uint8  // likewise
	ICMPID         uint16 // identifier of an ICMP query or its reply, 0 otherwise
	// MoreFragments says that others follow behind this one; it and the next two
	// are valid iff Fragment is not NotFragment.
	MoreFragments  bool
	FragmentOffset uint16 // of this one's bytes in the datagram
	FragmentID     uint32 // IP identification
	Seq, Ack       uint32 // valid iff Proto is TCP
	Window         uint16 // as the header has it, not scaled; valid iff Proto is TCP
	// IPLength is what conntrack counts of the packet: its bytes on the wire
	// from the IP header on. A fragment's is its own.
	IPLength int
	// Payload is what follows the L4 header, without link-layer padding; for
	// other protocols what follows the IP header.
	Payload []byte
	// PayloadLength is the payload's length on the wire; more than len(Payload)
	// when the capture cut it short.
	PayloadLength int
	// Evasive says that the datagram was put together from fragments that
	// overlap and differ: its receiver may have read others.
	Evasive bool

	segment []byte // of TCP; nil unless it was captured whole
	body    []byte // a fragment's part of its datagram; nil when Fragment is NotFragment
	next    uint8  // what an IPv6 fragment's datagram begins with: a protocol or an extension header
}

// SrcAddr is Src as the address it stands for.
func (p *Parsed) SrcAddr() netip.Addr { return Addr(p.Src, p.IPVersion) }

// DstAddr is Dst as the address it stands for.
func (p *Parsed) DstAddr() netip.Addr { return Addr(p.Dst, p.IPVersion) }

// Addr turns a 16-byte address of the given IP version into a netip.Addr.
func Addr(a [16]byte, version uint8) netip.Addr {
	addr := netip.AddrFrom16(a)
	if version == 4 {
		return addr.Unmap()
	}
	return addr
}

// Truncated says that the capture does not hold the whole payload.
func (p *Parsed) Truncated() bool { return p.PayloadLength > len(p.Payload) }

// HasPorts says that SrcPort and DstPort are valid.
func (p *Parsed) HasPorts() bool {
	return hasPorts(p.Proto) && p.Fragment != LaterFragment
}

func hasPorts(proto uint8) bool {
	switch proto {
	case ProtoTCP, ProtoUDP, ProtoSCTP, ProtoUDPLite:
		return true
	}
	return false
}
