package nft

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
)

// takeMatch recognises the expressions that encodeMatch makes; n is how many
// they are, 0 if the beginning of ops is no match of ours.
func takeMatch(ops []op, names map[int]string) (m artifact.Match, n int) {
	switch {
	case starts(ops, opMeta, opLookup), starts(ops, opPayloadLoad, opLookup):
		return takeLookup(ops)
	case starts(ops, opPayloadLoad, opBitwise, opCmp) && ops[0].base == unix.NFT_PAYLOAD_NETWORK_HEADER && ops[0].offset <= dscpByte4:
		return takeMatchDSCP(ops)
	case starts(ops, opMeta, opRange), starts(ops, opPayloadLoad, opRange),
		starts(ops, opMeta, opCmp, opCmp) && ops[1].cmp == unix.NFT_CMP_GTE,
		starts(ops, opPayloadLoad, opCmp, opCmp) && ops[1].cmp == unix.NFT_CMP_GTE,
		starts(ops, opPayloadLoad) && ops[0].base == unix.NFT_PAYLOAD_NETWORK_HEADER && ops[0].offset > 0:
		return takeRange(ops)
	case starts(ops, opCTLoad, opBitwise, opCmp):
		return takeMasked(ops, names)
	case starts(ops, opMeta, opBitwise, opCmp):
		return takeMark(ops)
	case starts(ops, opCTLoad, opToNetworkOrder, opCmp):
		return takeCount(ops)
	case starts(ops, opMeta, opToNetworkOrder, opLookup):
		return takeTime(ops)
	case starts(ops, opCTLoad, opCmp):
		return takeDirection(ops)
	case starts(ops, opMeta, opCmp):
		return takeMeta(ops)
	case starts(ops, opPayloadLoad, opCmp):
		return takePort(ops)
	case starts(ops, opPayloadLoad, opBitwise, opCmp):
		return takeTCPReset(ops)
	}
	return artifact.Match{}, 0
}

func starts(ops []op, kinds ...opKind) bool {
	if len(ops) < len(kinds) {
		return false
	}
	for i, k := range kinds {
		if ops[i].kind != k {
			return false
		}
	}
	return true
}

// equality reads a comparison for equal or not equal.
func equality(o op) (not, ok bool) {
	return o.cmp == unix.NFT_CMP_NEQ, o.cmp == unix.NFT_CMP_EQ || o.cmp == unix.NFT_CMP_NEQ
}

func takeMasked(ops []op, names map[int]string) (artifact.Match, int) {
	mask, cmp := ops[1], ops[2]
	not, ok := equality(cmp)
	if !ok || len(mask.mask) != int(mask.length) || !isZero(mask.xor) || len(cmp.data) != len(mask.mask) {
		return artifact.Match{}, 0
	}
	switch key := ops[0].key; {
	case key == unix.NFT_CT_MARK && len(mask.mask) == 4:
		return artifact.Match{
			Kind: artifact.MatchCTMark, Not: not,
			Mask: binary.NativeEndian.Uint32(mask.mask), Value: binary.NativeEndian.Uint32(cmp.data),
		}, 3
	case key == unix.NFT_CT_ID && len(mask.mask) == 4:
		return artifact.Match{
			Kind: artifact.MatchCTID, Not: not,
			Mask: binary.BigEndian.Uint32(mask.mask), Value: binary.BigEndian.Uint32(cmp.data),
		}, 3
	case !isZero(cmp.data):
		return artifact.Match{}, 0
	case key == unix.NFT_CT_LABELS:
		if bit, ok := oneBit(mask.mask); ok {
			return artifact.Match{Kind: artifact.MatchCTLabel, Not: !not, Bit: bit, Name: names[bit]}, 3
		}
		if bits := bitsOf(mask.mask); len(bits) > 0 {
			return artifact.Match{Kind: artifact.MatchCTLabel, Not: !not, Bits: bits}, 3
		}
	case key == unix.NFT_CT_STATUS && len(mask.mask) == 4 && binary.NativeEndian.Uint32(mask.mask) == statusConfirmed:
		return artifact.Match{Kind: artifact.MatchCTStatus, Not: !not, Name: "confirmed"}, 3
	case key == unix.NFT_CT_STATE && len(mask.mask) == 4:
		for name, bit := range stateBits() {
			if binary.NativeEndian.Uint32(mask.mask) == bit {
				return artifact.Match{Kind: artifact.MatchCTState, Not: !not, Name: name}, 3
			}
		}
	}
	return artifact.Match{}, 0
}

// takeMark reads "meta mark & mask == value".
func takeMark(ops []op) (artifact.Match, int) {
	mask, cmp := ops[1], ops[2]
	not, ok := equality(cmp)
	if !ok || ops[0].key != unix.NFT_META_MARK || len(mask.mask) != 4 || !isZero(mask.xor) || len(cmp.data) != 4 {
		return artifact.Match{}, 0
	}
	return artifact.Match{
		Kind: artifact.MatchMark, Not: not,
		Mask: binary.NativeEndian.Uint32(mask.mask), Value: binary.NativeEndian.Uint32(cmp.data),
	}, 3
}

func isZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// bitsOf are the numbers of the bits that are set in a label set.
func bitsOf(b []byte) []int {
	if len(b) != labelBytes {
		return nil
	}
	var out []int
	for i := range labelBytes * 8 {
		if b[i/8]&(1<<(i%8)) != 0 {
			out = append(out, i)
		}
	}
	return out
}

// oneBit is the number of the only bit that is set in a label set.
func oneBit(b []byte) (int, bool) {
	if len(b) != labelBytes {
		return 0, false
	}
	at, count := 0, 0
	for i, c := range b {
		if c != 0 {
			at = i*8 + bits.TrailingZeros8(c)
			count += bits.OnesCount8(c)
		}
	}
	return at, count == 1
}

func takeDirection(ops []op) (artifact.Match, int) {
	not, ok := equality(ops[1])
	if !ok || ops[0].key != unix.NFT_CT_DIRECTION || len(ops[1].data) != 1 || ops[1].data[0] > 1 {
		return artifact.Match{}, 0
	}
	name := [...]string{"original", "reply"}[ops[1].data[0]]
	return artifact.Match{Kind: artifact.MatchCTDirection, Not: not, Name: name}, 2
}

func takeMeta(ops []op) (artifact.Match, int) {
	not, ok := equality(ops[1])
	data := ops[1].data
	if !ok {
		return artifact.Match{}, 0
	}
	m := artifact.Match{Not: not}
	switch key := ops[0].key; {
	case key == unix.NFT_META_L4PROTO && len(data) == 1:
		m.Kind, m.Value = artifact.MatchL4Proto, uint32(data[0])
	case key == unix.NFT_META_NFPROTO && len(data) == 1 && data[0] == unix.NFPROTO_IPV4:
		m.Kind, m.Value = artifact.MatchFamily, 4
	case key == unix.NFT_META_NFPROTO && len(data) == 1 && data[0] == unix.NFPROTO_IPV6:
		m.Kind, m.Value = artifact.MatchFamily, 6
	case (key == unix.NFT_META_IIFNAME || key == unix.NFT_META_OIFNAME) && len(data) == unix.IFNAMSIZ:
		if m.Kind = artifact.MatchIIFName; key == unix.NFT_META_OIFNAME {
			m.Kind = artifact.MatchOIFName
		}
		m.Name = string(bytes.TrimRight(data, "\x00"))
		if !safeName.MatchString(m.Name) {
			return artifact.Match{}, 0
		}
	default:
		return artifact.Match{}, 0
	}
	return m, 2
}

func takePort(ops []op) (artifact.Match, int) {
	load, cmp := ops[0], ops[1]
	not, ok := equality(cmp)
	if !ok || load.base != unix.NFT_PAYLOAD_TRANSPORT_HEADER || load.length != 2 || len(cmp.data) != 2 ||
		load.offset != sportOffset && load.offset != dportOffset {
		return artifact.Match{}, 0
	}
	m := artifact.Match{Kind: artifact.MatchSport, Not: not, Value: uint32(binary.BigEndian.Uint16(cmp.data))}
	if load.offset == dportOffset {
		m.Kind = artifact.MatchDport
	}
	return m, 2
}

// takeLookup finds the match whose value was loaded.
func takeLookup(ops []op) (artifact.Match, int) {
	load, lookup := ops[0], ops[1]
	if !safeName.MatchString(lookup.set) {
		return artifact.Match{}, 0
	}
	if kind, ok := wholeKind(load); ok {
		return artifact.Match{Kind: kind, Set: lookup.set, Not: lookup.invert}, 2
	}
	return artifact.Match{}, 0
}

// wholeKind is the kind of match whose whole value was loaded, to be looked up.
func wholeKind(load op) (artifact.MatchKind, bool) {
	for kind, e := range loads() {
		same := false
		switch e := e.(type) {
		case *expr.Meta:
			same = load.kind == opMeta && load.key == uint32(e.Key)
		case *expr.Payload:
			same = load.kind == opPayloadLoad && load.base == uint32(e.Base) && load.offset == e.Offset && load.length == e.Len
		}
		if same {
			return kind, true
		}
	}
	return "", false
}

// takeStatement recognises the expressions that encodeStatement makes.
func takeStatement(ops []op, names map[int]string) (artifact.Statement, int) {
	switch o := ops[0]; {
	case starts(ops, opPayloadLoad, opBitwise, opPayloadWrite) && o.base == unix.NFT_PAYLOAD_TRANSPORT_HEADER:
		return takeSynAck(ops)
	case starts(ops, opPayloadLoad, opBitwise, opPayloadWrite):
		return takeDSCP(ops)
	case starts(ops, opCTLoad, opBitwise, opCTSet):
		return takeSetMark(ops)
	case starts(ops, opMeta, opVMap), starts(ops, opPayloadLoad, opVMap):
		return takeVMap(ops)
	case starts(ops, opImmediate, opCTSet):
		if bit, ok := oneBit(o.data); ok && ops[1].key == unix.NFT_CT_LABELS {
			return artifact.Statement{Kind: artifact.DoSetCTLabel, Bit: bit, Name: names[bit]}, 2
		}
	case o.kind == opCounter:
		return artifact.Statement{Kind: artifact.DoCounter}, 1
	case o.kind == opLog && safeName.MatchString(o.prefix):
		return artifact.Statement{Kind: artifact.DoLog, Name: o.prefix, Group: uint16(o.group), Snaplen: o.snaplen}, 1
	case o.kind == opReject && o.reject[0] == unix.NFT_REJECT_TCP_RST:
		return artifact.Statement{Kind: artifact.DoRejectTCPReset}, 1
	case o.kind == opReject && o.reject == [2]uint32{unix.NFT_REJECT_ICMPX_UNREACH, unix.NFT_REJECT_ICMPX_ADMIN_PROHIBITED}:
		return artifact.Statement{Kind: artifact.DoRejectAdmin}, 1
	case o.kind == opFlowAdd && safeName.MatchString(o.set):
		return artifact.Statement{Kind: artifact.DoFlowAdd, Name: o.set}, 1
	case o.kind == opNoTrack:
		return artifact.Statement{Kind: artifact.DoNoTrack}, 1
	case o.kind == opQueue:
		return artifact.Statement{Kind: artifact.DoQueue, Name: o.prefix, Group: uint16(o.group)}, 1
	case o.kind == opVerdict:
		return takeVerdict(o)
	}
	return takeAccount(ops)
}

// takeSetMark reads "ct mark set ct mark & mask | value".
func takeSetMark(ops []op) (artifact.Statement, int) {
	mask, value, ok := maskedWrite(ops[1])
	if !ok || ops[0].key != unix.NFT_CT_MARK || ops[2].key != unix.NFT_CT_MARK {
		return artifact.Statement{}, 0
	}
	return artifact.Statement{Kind: artifact.DoSetCTMark, Mask: mask, Value: value}, 3
}

// maskedWrite reads "& ^mask | value" of a mark; false if it flips bits.
func maskedWrite(change op) (mask, value uint32, ok bool) {
	if len(change.mask) != 4 || len(change.xor) != 4 {
		return 0, 0, false
	}
	mask, value = ^binary.NativeEndian.Uint32(change.mask), binary.NativeEndian.Uint32(change.xor)
	return mask, value, value&^mask == 0
}

// Verdict codes (enum nft_verdicts; NF_DROP and NF_ACCEPT of netfilter.h).
const (
	verdictDrop   = 0
	verdictAccept = 1
)

func takeVerdict(o op) (artifact.Statement, int) {
	switch {
	case o.verdict == verdictAccept:
		return artifact.Statement{Kind: artifact.DoAccept}, 1
	case o.verdict == verdictDrop:
		return artifact.Statement{Kind: artifact.DoDrop}, 1
	case o.verdict == unix.NFT_RETURN:
		return artifact.Statement{Kind: artifact.DoReturn}, 1
	case o.verdict == unix.NFT_JUMP && safeName.MatchString(o.chain):
		return artifact.Statement{Kind: artifact.DoJump, Name: o.chain}, 1
	case o.verdict == unix.NFT_GOTO && safeName.MatchString(o.chain):
		return artifact.Statement{Kind: artifact.DoGoto, Name: o.chain}, 1
	}
	return artifact.Statement{}, 0
}

func takeDSCP(ops []op) (artifact.Statement, int) {
	load, mask, write := ops[0], ops[1], ops[2]
	if load.base != unix.NFT_PAYLOAD_NETWORK_HEADER || load.offset != 0 || load.length != 2 ||
		write.base != load.base || write.offset != 0 || write.length != 2 || len(mask.mask) != 2 || len(mask.xor) != 2 {
		return artifact.Statement{}, 0
	}
	keep, set := binary.BigEndian.Uint16(mask.mask), uint32(binary.BigEndian.Uint16(mask.xor))
	switch {
	case keep == dscpKeep4 && set&dscpKeep4 == 0 && write.csum == [2]uint32{unix.NFT_PAYLOAD_CSUM_INET, ipChecksumOffset}:
		return artifact.Statement{Kind: artifact.DoSetDSCP4, Value: set >> dscpShift4}, 3
	case keep == dscpKeep6 && set&dscpKeep6 == 0 && write.csum[0] == unix.NFT_PAYLOAD_CSUM_NONE:
		return artifact.Statement{Kind: artifact.DoSetDSCP6, Value: set >> dscpShift6}, 3
	}
	return artifact.Statement{}, 0
}
