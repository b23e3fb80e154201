package nft

import (
	"bytes"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
)

// Where TCP keeps its flags and its checksum, and the bits of the flags (RFC
// 9293 section 3.1).
const (
	tcpOffsetOffset   = 12 // data offset, then the flags
	tcpFlagsOffset    = 13
	tcpChecksumOffset = 16

	tcpRST    = 0x04
	tcpSynAck = 0x12
)

func encodeTCPReset(m artifact.Match) []expr.Any {
	op := expr.CmpOpNeq
	if m.Not {
		op = expr.CmpOpEq
	}
	return []expr.Any{
		&expr.Payload{DestRegister: reg, Base: expr.PayloadBaseTransportHeader, Offset: tcpFlagsOffset, Len: 1},
		&expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: 1, Mask: []byte{tcpRST}, Xor: []byte{0}},
		&expr.Cmp{Op: op, Register: reg, Data: []byte{0}},
	}
}

func takeTCPReset(ops []op) (artifact.Match, int) {
	load, mask, cmp := ops[0], ops[1], ops[2]
	not, ok := equality(cmp)
	if !ok || load.base != unix.NFT_PAYLOAD_TRANSPORT_HEADER || load.offset != tcpFlagsOffset || load.length != 1 ||
		!bytes.Equal(mask.mask, []byte{tcpRST}) || !isZero(mask.xor) || !bytes.Equal(cmp.data, []byte{0}) {
		return artifact.Match{}, 0
	}
	return artifact.Match{Kind: artifact.MatchTCPReset, Not: !not}, 3
}

// encodeSynAck writes two bytes, as the checksum is made of such, and keeps
// the first.
func encodeSynAck() []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: reg, Base: expr.PayloadBaseTransportHeader, Offset: tcpOffsetOffset, Len: 2},
		&expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: 2, Mask: []byte{0xff, 0}, Xor: []byte{0, tcpSynAck}},
		&expr.Payload{
			OperationType: expr.PayloadWrite, SourceRegister: reg,
			Base: expr.PayloadBaseTransportHeader, Offset: tcpOffsetOffset, Len: 2,
			CsumType: expr.CsumTypeInet, CsumOffset: tcpChecksumOffset,
		},
	}
}

func takeSynAck(ops []op) (artifact.Statement, int) {
	load, mask, write := ops[0], ops[1], ops[2]
	if load.offset != tcpOffsetOffset || load.length != 2 ||
		write.base != load.base || write.offset != load.offset || write.length != load.length ||
		write.csum != [2]uint32{unix.NFT_PAYLOAD_CSUM_INET, tcpChecksumOffset} ||
		!bytes.Equal(mask.mask, []byte{0xff, 0}) || !bytes.Equal(mask.xor, []byte{0, tcpSynAck}) {
		return artifact.Statement{}, 0
	}
	return artifact.Statement{Kind: artifact.DoSetSynAck}, 3
}
