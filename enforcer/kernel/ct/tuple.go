package ct

import (
	"net/netip"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// Messages and attributes of linux/netfilter/nfnetlink_conntrack.h.
const (
	msgNew    = 1 << 8   // NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW
	msgGet    = 1<<8 | 1 // IPCTNL_MSG_CT_GET
	msgDelete = 1<<8 | 2 // IPCTNL_MSG_CT_DELETE

	msgGetStatsCPU = 1<<8 | 4 // IPCTNL_MSG_CT_GET_STATS_CPU
	msgGetStats    = 1<<8 | 5 // IPCTNL_MSG_CT_GET_STATS

	ctaTupleOrig     = 1
	ctaTupleReply    = 2
	ctaProtoInfo     = 4
	ctaMark          = 8
	ctaCountersOrig  = 9
	ctaCountersReply = 10
	ctaID            = 12
	ctaZone          = 18
	ctaTimestamp     = 20
	ctaMarkMask      = 21
	ctaLabels        = 22
	ctaLabelsMask    = 23

	ctaTupleIP    = 1
	ctaTupleProto = 2

	ctaIPv4Src = 1
	ctaIPv4Dst = 2
	ctaIPv6Src = 3
	ctaIPv6Dst = 4

	ctaProtoNum        = 1
	ctaProtoSrcPort    = 2
	ctaProtoDstPort    = 3
	ctaProtoICMPID     = 4
	ctaProtoICMPType   = 5
	ctaProtoICMPCode   = 6
	ctaProtoICMPv6ID   = 7
	ctaProtoICMPv6Type = 8
	ctaProtoICMPv6Code = 9

	ctaCountersPackets = 1
	ctaCountersBytes   = 2

	ctaProtoInfoTCP      = 1
	ctaProtoInfoTCPState = 1

	ctaTimestampStart = 1
)

// TCP states of linux/netfilter/nf_conntrack_tcp.h.
const (
	tcpTimeWait = 7
	tcpClose    = 8
)

// IP protocol numbers (IANA) whose connections are told apart by more than
// addresses.
const (
	protoICMP    = 1
	protoTCP     = 6
	protoUDP     = 17
	protoDCCP    = 33
	protoGRE     = 47 // the "ports" are its keys
	protoICMPv6  = 58
	protoSCTP    = 132
	protoUDPLite = 136
)

// Address families (linux/socket.h).
const (
	familyIPv4 = 2
	familyIPv6 = 10
)

func family(t flow.Tuple) uint8 {
	if t.Src.Unmap().Is4() {
		return familyIPv4
	}
	return familyIPv6
}

// appendTuple appends the tuple as attribute typ. A tuple of mixed families
// or without addresses becomes one that no connection has.
func appendTuple(b []byte, typ uint16, t flow.Tuple) []byte {
	b, tuple := nfnl.Nest(b, typ)
	b, ip := nfnl.Nest(b, ctaTupleIP)
	if src, dst := t.Src.Unmap(), t.Dst.Unmap(); src.Is4() && dst.Is4() {
		s, d := src.As4(), dst.As4()
		b = nfnl.Bytes(b, ctaIPv4Src, s[:])
		b = nfnl.Bytes(b, ctaIPv4Dst, d[:])
	} else {
		s, d := as16(t.Src), as16(t.Dst)
		b = nfnl.Bytes(b, ctaIPv6Src, s[:])
		b = nfnl.Bytes(b, ctaIPv6Dst, d[:])
	}
	b = nfnl.Unnest(b, ip)
	b, proto := nfnl.Nest(b, ctaTupleProto)
	b = nfnl.Uint8(b, ctaProtoNum, t.Proto)
	switch t.Proto {
	case protoTCP, protoUDP, protoSCTP, protoDCCP, protoUDPLite, protoGRE:
		b = nfnl.Uint16(b, ctaProtoSrcPort, t.SrcPort)
		b = nfnl.Uint16(b, ctaProtoDstPort, t.DstPort)
	case protoICMP:
		b = nfnl.Uint16(b, ctaProtoICMPID, t.ICMPID)
		b = nfnl.Uint8(b, ctaProtoICMPType, t.ICMPType)
		b = nfnl.Uint8(b, ctaProtoICMPCode, t.ICMPCode)
	case protoICMPv6:
		b = nfnl.Uint16(b, ctaProtoICMPv6ID, t.ICMPID)
		b = nfnl.Uint8(b, ctaProtoICMPv6Type, t.ICMPType)
		b = nfnl.Uint8(b, ctaProtoICMPv6Code, t.ICMPCode)
	}
	b = nfnl.Unnest(b, proto)
	return nfnl.Unnest(b, tuple)
}

// as16 is the address in 16 bytes, zero for the zero Addr.
func as16(a netip.Addr) [16]byte {
	if !a.IsValid() {
		return [16]byte{}
	}
	return a.As16()
}

// parseTuple reads what appendTuple and the kernel write.
func parseTuple(b []byte) flow.Tuple {
	var t flow.Tuple
	for a, rest, ok := nfnl.NextAttr(b); ok; a, rest, ok = nfnl.NextAttr(rest) {
		switch a.Type {
		case ctaTupleIP:
			parseIP(a.Data, &t)
		case ctaTupleProto:
			parseProto(a.Data, &t)
		}
	}
	return t
}

func parseIP(b []byte, t *flow.Tuple) {
	for a, rest, ok := nfnl.NextAttr(b); ok; a, rest, ok = nfnl.NextAttr(rest) {
		addr, ok := netip.AddrFromSlice(a.Data)
		if !ok {
			continue
		}
		switch a.Type {
		case ctaIPv4Src, ctaIPv6Src:
			t.Src = addr
		case ctaIPv4Dst, ctaIPv6Dst:
			t.Dst = addr
		}
	}
}

func parseProto(b []byte, t *flow.Tuple) {
	for a, rest, ok := nfnl.NextAttr(b); ok; a, rest, ok = nfnl.NextAttr(rest) {
		switch a.Type {
		case ctaProtoNum:
			t.Proto = a.Uint8()
		case ctaProtoSrcPort:
			t.SrcPort = a.Uint16()
		case ctaProtoDstPort:
			t.DstPort = a.Uint16()
		case ctaProtoICMPID, ctaProtoICMPv6ID:
			t.ICMPID = a.Uint16()
		case ctaProtoICMPType, ctaProtoICMPv6Type:
			t.ICMPType = a.Uint8()
		case ctaProtoICMPCode, ctaProtoICMPv6Code:
			t.ICMPCode = a.Uint8()
		}
	}
}

// appendUpdate appends one message that sets labels and mark of a connection
// that exists: without NLM_F_CREATE, and without asking for an answer.
func appendUpdate(b []byte, seq uint32, u *flow.Update) []byte {
	b, start := nfnl.Begin(b, msgNew, nfnl.FlagRequest, seq, family(u.Tuple), 0)
	b = appendTuple(b, ctaTupleOrig, u.Tuple)
	if u.MarkMask != 0 {
		// The kernel computes old &^ mask ^ value, so value stays inside.
		b = nfnl.Uint32(b, ctaMark, u.Mark&u.MarkMask)
		b = nfnl.Uint32(b, ctaMarkMask, u.MarkMask)
	}
	if u.LabelMask != [16]byte{} {
		// Always all 16 bytes: the kernel zeroes what a shorter attribute
		// leaves out, mask or no mask.
		labels := u.Labels
		for i := range labels {
			labels[i] &= u.LabelMask[i]
		}
		b = nfnl.Bytes(b, ctaLabels, labels[:])
		b = nfnl.Bytes(b, ctaLabelsMask, u.LabelMask[:])
	}
	return nfnl.End(b, start)
}
