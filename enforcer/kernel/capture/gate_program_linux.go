package capture

import (
	"strconv"

	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// The stack of the program, from the frame pointer down.
const (
	gateKey    = -gateKeyBytes            // what the flow is looked up by
	gateValue  = gateKey - gateValueBytes // a new flow's counts
	gateHeader = gateValue - 40           // the header at hand
	gateTag    = gateHeader - 8           // a VLAN tag
	gateBase   = gateTag - 8              // where offsets begin: fromNet or fromMAC
	keyA       = gateKey                  // one end's address
	keyB       = gateKey + 16             // the other's
	keyPorts   = gateKey + 32             // of A, then of B
	keyProto   = gateKey + 36             // IP protocol
	keyVersion = gateKey + 37             // of IP
	skbProto   = 16                       // protocol in struct __sk_buff
	fromMAC    = 0                        // BPF_HDR_START_MAC (linux/bpf.h)
	fromNet    = 1                        // BPF_HDR_START_NET
	etherBytes = 14                       // of an Ethernet header
	maxTags    = 2                        // that are read in the packet itself
	synOnly    = 0x02                     // of SYN and ACK, SYN
	synAndAck  = 0x12                     // TCP flags SYN and ACK
	notFirst   = 0x3fff                   // more fragments, or an offset (RFC 791 section 3.1)
)

// What the registers hold across calls.
const (
	skb    = asm.R6
	isNew  = asm.R7 // the packet begins a flow; the ethertype before that is known
	offset = asm.R8 // from the header that gateBase names
	proto  = asm.R9 // IP protocol
)

// gateProgram asks the filter, counts the packet's flow and answers with how many
// bytes of it are wanted: none once first packets have passed.
func gateProgram(counts int, cfg RingConfig) asm.Instructions {
	var p asm.Instructions
	p = append(p, asm.Mov.Reg(skb, asm.R1), asm.Mov.Imm(asm.R0, 0))
	for at := int16(gateKey); at < 0; at += 8 {
		p = append(p, asm.StoreMem(asm.RFP, at, asm.R0, asm.DWord))
	}
	p = append(p, gateEthertype()...)
	p = append(p, gateIPv4()...)
	p = append(p, gateIPv6()...)
	p = append(p, gatePorts()...)
	p = append(p, asm.Mov.Imm(asm.R0, 0).WithSymbol("known"))
	p = append(p, gateFilter(cfg.Filter)...)
	if cfg.FirstPackets > 0 {
		p = append(p, gateOrder()...)
		p = append(p, gateCount(counts, cfg.FirstPackets)...)
	}
	return append(p,
		asm.Mov.Imm(asm.R0, int32(cfg.Snap)).WithSymbol("pass"),
		asm.Return(),
		asm.Mov.Imm(asm.R0, 0).WithSymbol("keep back"),
		asm.Return(),
	)
}

// gateLoad copies bytes of the packet, from offset on, to the stack; a packet
// that is too short passes.
func gateLoad(to int16, size int32) asm.Instructions {
	return asm.Instructions{
		asm.Mov.Reg(asm.R1, skb),
		asm.Mov.Reg(asm.R2, offset),
		asm.Mov.Reg(asm.R3, asm.RFP),
		asm.Add.Imm(asm.R3, int32(to)),
		asm.Mov.Imm(asm.R4, size),
		asm.LoadMem(asm.R5, asm.RFP, gateBase, asm.DWord),
		asm.FnSkbLoadBytesRelative.Call(),
		asm.JNE.Imm(asm.R0, 0, "pass"),
	}
}

// gateFrom is gateLoad of a header's first bytes, as the target of jumps.
func gateFrom(symbol string, size int32) asm.Instructions {
	p := gateLoad(gateHeader, size)
	p[0] = p[0].WithSymbol(symbol)
	return p
}

// gateEthertype finds what the packet carries, behind VLAN tags that are in it: the
// network card has left them there, or the kernel has put them in, for a card that
// cannot. The kernel says of the first that it begins with the network header, of the
// second that the IP header does, so both are read from the Ethernet header on.
func gateEthertype() asm.Instructions {
	p := asm.Instructions{
		asm.LoadMem(isNew, skb, skbProto, asm.Word),
		asm.Mov.Imm(asm.R0, fromNet),
		asm.StoreMem(asm.RFP, gateBase, asm.R0, asm.DWord),
		asm.Mov.Imm(offset, 0),
		asm.JEq.Imm(isNew, int32(hostToNet(unix.ETH_P_8021Q)), "tags"),
		asm.JNE.Imm(isNew, int32(hostToNet(unix.ETH_P_8021AD)), "ethertype"),
		asm.Mov.Imm(asm.R0, fromMAC).WithSymbol("tags"),
		asm.StoreMem(asm.RFP, gateBase, asm.R0, asm.DWord),
		asm.Mov.Imm(offset, etherBytes),
	}
	for i := range maxTags {
		p = append(p, gateLoad(gateTag, vlanTag)...)
		p = append(p,
			asm.LoadMem(isNew, asm.RFP, gateTag+2, asm.Half),
			asm.Add.Imm(offset, vlanTag),
		)
		if i+1 < maxTags {
			next := "tag " + strconv.Itoa(i+1)
			p = append(p,
				asm.JEq.Imm(isNew, int32(hostToNet(unix.ETH_P_8021Q)), next),
				asm.JNE.Imm(isNew, int32(hostToNet(unix.ETH_P_8021AD)), "ethertype"),
				asm.Mov.Imm(asm.R0, 0).WithSymbol(next),
			)
		}
	}
	return append(p,
		asm.JEq.Imm(isNew, int32(hostToNet(unix.ETH_P_IP)), "ipv4").WithSymbol("ethertype"),
		asm.JEq.Imm(isNew, int32(hostToNet(unix.ETH_P_IPV6)), "ipv6"),
		asm.Ja.Label("pass"),
	)
}

// gateIPv4 reads addresses and protocol (RFC 791 section 3.1).
func gateIPv4() asm.Instructions {
	return append(gateFrom("ipv4", 20),
		asm.LoadMem(asm.R0, asm.RFP, gateHeader+6, asm.Half),
		asm.And.Imm(asm.R0, int32(hostToNet(notFirst))),
		asm.JNE.Imm(asm.R0, 0, "pass"),
		asm.LoadMem(proto, asm.RFP, gateHeader+9, asm.Byte),
		asm.LoadMem(asm.R0, asm.RFP, gateHeader+12, asm.Word),
		asm.StoreMem(asm.RFP, keyA, asm.R0, asm.Word),
		asm.LoadMem(asm.R0, asm.RFP, gateHeader+16, asm.Word),
		asm.StoreMem(asm.RFP, keyB, asm.R0, asm.Word),
		asm.Mov.Imm(asm.R0, 4),
		asm.StoreMem(asm.RFP, keyVersion, asm.R0, asm.Byte),
		asm.LoadMem(asm.R0, asm.RFP, gateHeader, asm.Byte),
		asm.And.Imm(asm.R0, 0x0f), // words of the header
		asm.LSh.Imm(asm.R0, 2),
		asm.Add.Reg(offset, asm.R0),
		asm.Ja.Label("transport"),
	)
}

// gateIPv6 reads addresses and the next header (RFC 8200 section 3). Behind
// extension headers no ports are looked for: the pair of addresses counts then.
func gateIPv6() asm.Instructions {
	p := append(gateFrom("ipv6", 40),
		asm.LoadMem(proto, asm.RFP, gateHeader+6, asm.Byte),
		asm.JEq.Imm(proto, unix.IPPROTO_FRAGMENT, "pass"),
	)
	for i := int16(0); i < 32; i += 8 {
		p = append(p,
			asm.LoadMem(asm.R0, asm.RFP, gateHeader+8+i, asm.DWord),
			asm.StoreMem(asm.RFP, keyA+i, asm.R0, asm.DWord),
		)
	}
	return append(p,
		asm.Mov.Imm(asm.R0, 6),
		asm.StoreMem(asm.RFP, keyVersion, asm.R0, asm.Byte),
		asm.Add.Imm(offset, 40),
	)
}

// gatePorts reads ports, and whether a TCP segment begins a connection.
func gatePorts() asm.Instructions {
	p := asm.Instructions{
		asm.StoreMem(asm.RFP, keyProto, proto, asm.Byte).WithSymbol("transport"),
		asm.Mov.Imm(isNew, 0),
		asm.JEq.Imm(proto, unix.IPPROTO_TCP, "tcp"),
		asm.JEq.Imm(proto, unix.IPPROTO_UDP, "datagram"),
		asm.JEq.Imm(proto, unix.IPPROTO_SCTP, "datagram"),
		asm.Ja.Label("known"),
	}
	p = append(p, gateFrom("tcp", 14)...)
	p = append(p,
		asm.LoadMem(asm.R0, asm.RFP, gateHeader+13, asm.Byte),
		asm.And.Imm(asm.R0, synAndAck),
		asm.JNE.Imm(asm.R0, synOnly, "ports"),
		asm.Mov.Imm(isNew, 1),
		asm.Ja.Label("ports"),
	)
	p = append(p, gateFrom("datagram", 4)...)
	return append(p,
		asm.LoadMem(asm.R0, asm.RFP, gateHeader, asm.Word).WithSymbol("ports"),
		asm.StoreMem(asm.RFP, keyPorts, asm.R0, asm.Word),
	)
}

// gateOrder puts the ends of the flow into one order, whichever sent the
// packet. Any total order does; this one is that of the machine's words.
func gateOrder() asm.Instructions {
	compare := func(a, b int16, size asm.Size, symbol string) asm.Instructions {
		return asm.Instructions{
			asm.LoadMem(asm.R1, asm.RFP, a, size).WithSymbol(symbol),
			asm.LoadMem(asm.R2, asm.RFP, b, size),
			asm.JGT.Reg(asm.R1, asm.R2, "swap"),
			asm.JLT.Reg(asm.R1, asm.R2, "count"),
		}
	}
	swap := func(a, b int16, size asm.Size, symbol string) asm.Instructions {
		return asm.Instructions{
			asm.LoadMem(asm.R1, asm.RFP, a, size).WithSymbol(symbol),
			asm.LoadMem(asm.R2, asm.RFP, b, size),
			asm.StoreMem(asm.RFP, a, asm.R2, size),
			asm.StoreMem(asm.RFP, b, asm.R1, size),
		}
	}
	p := compare(keyA, keyB, asm.DWord, "order")
	p = append(p, compare(keyA+8, keyB+8, asm.DWord, "")...)
	p = append(p, compare(keyPorts, keyPorts+2, asm.Half, "")...)
	p = append(p, asm.Ja.Label("count"))
	p = append(p, swap(keyA, keyB, asm.DWord, "swap")...)
	p = append(p, swap(keyA+8, keyB+8, asm.DWord, "")...)
	return append(p, swap(keyPorts, keyPorts+2, asm.Half, "")...)
}

// gateCount counts the packet. Two packets of a flow at once on two processors
// may be counted as one; the flow then shows a packet more.
func gateCount(counts int, first uint32) asm.Instructions {
	const count, last = 0, 8 // in the value
	return asm.Instructions{
		asm.FnKtimeGetNs.Call().WithSymbol("count"),
		asm.Mov.Reg(proto, asm.R0), // the protocol is in the key by now
		asm.LoadMapPtr(asm.R1, counts),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, gateKey),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "unknown"),

		asm.LoadMem(asm.R1, asm.R0, last, asm.DWord),
		asm.StoreMem(asm.R0, last, proto, asm.DWord),
		asm.Mov.Reg(asm.R2, proto),
		asm.Sub.Reg(asm.R2, asm.R1),
		asm.LoadImm(asm.R3, gateRest.Nanoseconds(), asm.DWord),
		asm.JGT.Reg(asm.R2, asm.R3, "anew"),
		asm.JNE.Imm(isNew, 0, "anew"),
		asm.LoadMem(asm.R1, asm.R0, count, asm.Word),
		asm.JGE.Imm(asm.R1, int32(first), "keep back"),
		asm.Add.Imm(asm.R1, 1),
		asm.StoreMem(asm.R0, count, asm.R1, asm.Word),
		asm.Ja.Label("pass"),

		asm.Mov.Imm(asm.R1, 1).WithSymbol("anew"),
		asm.StoreMem(asm.R0, count, asm.R1, asm.Word),
		asm.Ja.Label("pass"),

		asm.Mov.Imm(asm.R0, 1).WithSymbol("unknown"),
		asm.StoreMem(asm.RFP, gateValue+count, asm.R0, asm.DWord),
		asm.StoreMem(asm.RFP, gateValue+last, proto, asm.DWord),
		asm.LoadMapPtr(asm.R1, counts),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, gateKey),
		asm.Mov.Reg(asm.R3, asm.RFP),
		asm.Add.Imm(asm.R3, gateValue),
		asm.Mov.Imm(asm.R4, 0), // BPF_ANY
		asm.FnMapUpdateElem.Call(),
	}
}
