package flow

import (
	"net/netip"

	"github.com/netpol/netpol/enforcer/packet"
)

// Tuple is a connection as conntrack knows it: the addresses of one direction.
// For ICMP, ICMPType, ICMPCode and ICMPID stand for the ports.
type Tuple struct {
	Src, Dst         netip.Addr
	SrcPort, DstPort uint16
	Proto            uint8 // IP protocol number
	ICMPType         uint8
	ICMPCode         uint8
	ICMPID           uint16
}

// Update is what the enforcer wants written on one connection. Label bit n is
// bit n%8 of byte n/8 (linux/netfilter/xt_connlabel.h). Bits outside a mask
// are left as they are.
type Update struct {
	Tuple     Tuple
	Labels    [16]byte
	LabelMask [16]byte
	Mark      uint32
	MarkMask  uint32
}

// Release lets a packet go on that has waited.
type Release struct {
	Ticket packet.Ticket
	// What the connection is to carry: bits of labels and of its mark, and with Done
	// the enforcer's own. The Source writes it where nobody else can.
	Labels [16]byte
	Mark   uint32
	Done   bool
}
