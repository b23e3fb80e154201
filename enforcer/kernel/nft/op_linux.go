package nft

import (
	"fmt"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// opKind is the kind of one decoded expression; opUnknown is all that netpol
// does not write itself.
type opKind uint8

const (
	opUnknown opKind = iota
	opCTLoad
	opCTSet
	opMeta
	opPayloadLoad
	opPayloadWrite
	opBitwise
	opToNetworkOrder
	opCmp
	opImmediate
	opVerdict
	opCounter
	opLog
	opReject
	opLookup
	opMetaSet
	opSyslog
	opLimit
	opObject
	opUpdate
	opVMap
	opRange
	opNoTrack
	opFlowAdd
	opQueue
)

// op is one expression on register 1. Which fields count depends on kind.
type op struct {
	kind      opKind
	raw       string // "[name hex]", always set
	key       uint32 // ct, meta
	direction string // ct: of a count, empty for both
	base      uint32 // payload
	offset    uint32
	length    uint32
	mask, xor []byte
	cmp       uint32 // cmp, range
	data      []byte // cmp, immediate, the low end of a range
	high      []byte // range
	verdict   int32
	chain     string // jump, goto
	counter   *counter
	group     uint32 // log, queue
	snaplen   uint32
	prefix    string    // log; of a queue QueueBypass or nothing
	reject    [2]uint32 // type, code
	csum      [2]uint32 // type, offset
	set       string    // lookup, update, object, flowtable
	invert    bool      // lookup, limit: over
	limit     artifact.Limit
	bytes     uint64 // update: of a quota
}

type counter struct{ packets, bytes uint64 }

// decodeOp reads one expression: name and data. Any attribute it does not
// know makes the whole expression unknown.
func decodeOp(b []byte) op {
	top := splitAttrs(b)
	name, data := top.text(unix.NFTA_EXPR_NAME), top.by[unix.NFTA_EXPR_DATA]
	a := splitAttrs(data)
	o := op{}
	switch name {
	case "ct":
		o = decodeCT(a)
	case "meta":
		if a.only(unix.NFTA_META_KEY, unix.NFTA_META_DREG) && a.u32(unix.NFTA_META_DREG) == reg {
			o = op{kind: opMeta, key: a.u32(unix.NFTA_META_KEY)}
		}
		if a.only(unix.NFTA_META_KEY, unix.NFTA_META_SREG) && a.u32(unix.NFTA_META_SREG) == reg {
			o = op{kind: opMetaSet, key: a.u32(unix.NFTA_META_KEY)}
		}
	case "payload":
		o = decodePayload(a)
	case "bitwise":
		o = decodeBitwise(a)
	case "byteorder":
		o = decodeByteorder(a)
	case "cmp":
		if a.only(unix.NFTA_CMP_SREG, unix.NFTA_CMP_OP, unix.NFTA_CMP_DATA) && a.u32(unix.NFTA_CMP_SREG) == reg {
			o = op{kind: opCmp, cmp: a.u32(unix.NFTA_CMP_OP), data: value(a.by[unix.NFTA_CMP_DATA])}
		}
	case "immediate":
		o = decodeImmediate(a)
	case "counter":
		o = op{kind: opCounter, counter: &counter{
			packets: a.u64(unix.NFTA_COUNTER_PACKETS), bytes: a.u64(unix.NFTA_COUNTER_BYTES),
		}}
	case "log":
		o = decodeLog(a)
	case "lookup":
		o = decodeLookup(a)
	case "flow_offload":
		if name := a.text(expr.NFTNL_EXPR_FLOW_TABLE_NAME); a.only(expr.NFTNL_EXPR_FLOW_TABLE_NAME) {
			o = op{kind: opFlowAdd, set: name}
		}
	case "notrack":
		if a.only() {
			o = op{kind: opNoTrack}
		}
	case "limit":
		o = decodeLimit(a)
	case "objref":
		o = decodeObjref(a)
	case "dynset":
		o = decodeDynset(a)
	case "range":
		if a.only(unix.NFTA_RANGE_SREG, unix.NFTA_RANGE_OP, unix.NFTA_RANGE_FROM_DATA, unix.NFTA_RANGE_TO_DATA) && a.u32(unix.NFTA_RANGE_SREG) == reg {
			o = op{kind: opRange, cmp: a.u32(unix.NFTA_RANGE_OP), data: value(a.by[unix.NFTA_RANGE_FROM_DATA]), high: value(a.by[unix.NFTA_RANGE_TO_DATA])}
		}
	case "queue":
		o = decodeQueue(a)
	case "target":
		o = decodeTarget(a)
	case "reject":
		if a.only(unix.NFTA_REJECT_TYPE, unix.NFTA_REJECT_ICMP_CODE) {
			code := nfnl.Attr{Data: a.by[unix.NFTA_REJECT_ICMP_CODE]}.Uint8()
			o = op{kind: opReject, reject: [2]uint32{a.u32(unix.NFTA_REJECT_TYPE), uint32(code)}}
		}
	}
	o.raw = fmt.Sprintf("[%q %x]", name, data)
	return o
}

func decodePayload(a attrs) op {
	o := op{
		kind: opPayloadLoad, base: a.u32(unix.NFTA_PAYLOAD_BASE),
		offset: a.u32(unix.NFTA_PAYLOAD_OFFSET), length: a.u32(unix.NFTA_PAYLOAD_LEN),
	}
	where := []int{unix.NFTA_PAYLOAD_BASE, unix.NFTA_PAYLOAD_OFFSET, unix.NFTA_PAYLOAD_LEN}
	if a.only(append(where, unix.NFTA_PAYLOAD_DREG)...) && a.u32(unix.NFTA_PAYLOAD_DREG) == reg {
		return o
	}
	o.kind = opPayloadWrite
	o.csum = [2]uint32{a.u32(unix.NFTA_PAYLOAD_CSUM_TYPE), a.u32(unix.NFTA_PAYLOAD_CSUM_OFFSET)}
	write := append(where, unix.NFTA_PAYLOAD_SREG,
		unix.NFTA_PAYLOAD_CSUM_TYPE, unix.NFTA_PAYLOAD_CSUM_OFFSET, unix.NFTA_PAYLOAD_CSUM_FLAGS)
	if a.only(write...) && a.u32(unix.NFTA_PAYLOAD_SREG) == reg && a.u32(unix.NFTA_PAYLOAD_CSUM_FLAGS) == 0 {
		return o
	}
	return op{}
}

// bitwiseOp is NFTA_BITWISE_OP (linux/netfilter/nf_tables.h, since 5.6); 0 is
// NFT_BITWISE_MASK_XOR, the only operation before that.
const bitwiseOp = 6

func decodeBitwise(a attrs) op {
	known := a.only(unix.NFTA_BITWISE_SREG, unix.NFTA_BITWISE_DREG, unix.NFTA_BITWISE_LEN,
		unix.NFTA_BITWISE_MASK, unix.NFTA_BITWISE_XOR, bitwiseOp)
	if !known || a.u32(unix.NFTA_BITWISE_SREG) != reg || a.u32(unix.NFTA_BITWISE_DREG) != reg || a.u32(bitwiseOp) != 0 {
		return op{}
	}
	return op{
		kind: opBitwise, length: a.u32(unix.NFTA_BITWISE_LEN),
		mask: value(a.by[unix.NFTA_BITWISE_MASK]), xor: value(a.by[unix.NFTA_BITWISE_XOR]),
	}
}

func decodeByteorder(a attrs) op {
	known := a.only(unix.NFTA_BYTEORDER_SREG, unix.NFTA_BYTEORDER_DREG, unix.NFTA_BYTEORDER_OP,
		unix.NFTA_BYTEORDER_LEN, unix.NFTA_BYTEORDER_SIZE)
	if !known || a.u32(unix.NFTA_BYTEORDER_SREG) != reg || a.u32(unix.NFTA_BYTEORDER_DREG) != reg ||
		a.u32(unix.NFTA_BYTEORDER_OP) != unix.NFT_BYTEORDER_HTON || a.u32(unix.NFTA_BYTEORDER_LEN) != 8 ||
		a.u32(unix.NFTA_BYTEORDER_SIZE) != 8 {
		return op{}
	}
	return op{kind: opToNetworkOrder}
}

func decodeImmediate(a attrs) op {
	if !a.only(unix.NFTA_IMMEDIATE_DREG, unix.NFTA_IMMEDIATE_DATA) {
		return op{}
	}
	data := splitAttrs(a.by[unix.NFTA_IMMEDIATE_DATA])
	switch dreg := a.u32(unix.NFTA_IMMEDIATE_DREG); {
	case dreg == reg && data.only(unix.NFTA_DATA_VALUE):
		return op{kind: opImmediate, data: data.by[unix.NFTA_DATA_VALUE]}
	case dreg == unix.NFT_REG_VERDICT && data.only(unix.NFTA_DATA_VERDICT):
		v := splitAttrs(data.by[unix.NFTA_DATA_VERDICT])
		return op{kind: opVerdict, verdict: int32(v.u32(unix.NFTA_VERDICT_CODE)), chain: v.text(unix.NFTA_VERDICT_CHAIN)}
	}
	return op{}
}

// syslogLevel is what the kernel fills in where no level is asked for
// (NFT_LOGLEVEL_WARNING, nft_log.c).
const syslogLevel = 4

func decodeLog(a attrs) op {
	if a.only(unix.NFTA_LOG_PREFIX, unix.NFTA_LOG_LEVEL) && a.u32(unix.NFTA_LOG_LEVEL) == syslogLevel {
		return op{kind: opSyslog, prefix: a.text(unix.NFTA_LOG_PREFIX)}
	}
	known := a.only(unix.NFTA_LOG_GROUP, unix.NFTA_LOG_PREFIX, unix.NFTA_LOG_SNAPLEN, unix.NFTA_LOG_QTHRESHOLD)
	threshold := nfnl.Attr{Data: a.by[unix.NFTA_LOG_QTHRESHOLD]}.Uint16()
	if !known || threshold != 0 || a.by[unix.NFTA_LOG_GROUP] == nil {
		return op{}
	}
	return op{
		kind: opLog, group: uint32(nfnl.Attr{Data: a.by[unix.NFTA_LOG_GROUP]}.Uint16()),
		snaplen: a.u32(unix.NFTA_LOG_SNAPLEN), prefix: a.text(unix.NFTA_LOG_PREFIX),
	}
}

func decodeLookup(a attrs) op {
	set, flags := a.text(unix.NFTA_LOOKUP_SET), a.u32(unix.NFTA_LOOKUP_FLAGS)
	known := a.u32(unix.NFTA_LOOKUP_SREG) == reg && flags&^unix.NFT_LOOKUP_F_INV == 0
	kind := opLookup
	if dreg := a.by[unix.NFTA_LOOKUP_DREG]; dreg != nil && a.u32(unix.NFTA_LOOKUP_DREG) == unix.NFT_REG_VERDICT {
		kind, known = opVMap, known && flags == 0
		a.by[unix.NFTA_LOOKUP_DREG] = nil
	}
	if !a.only(unix.NFTA_LOOKUP_SET, unix.NFTA_LOOKUP_SREG, unix.NFTA_LOOKUP_FLAGS) || !known {
		return op{}
	}
	return op{kind: kind, set: set, invert: flags != 0}
}

// value unwraps struct nft_data: NFTA_DATA_VALUE.
func value(b []byte) []byte {
	a := splitAttrs(b)
	if !a.only(unix.NFTA_DATA_VALUE) {
		return nil
	}
	return a.by[unix.NFTA_DATA_VALUE]
}
