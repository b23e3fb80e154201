package nft

import (
	"bytes"
	"fmt"
	"math/bits"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
)

// encodeRange compares a value with Low..High, in the form that nft chooses: an
// address block of whole bytes is a shorter load, another one a mask, and any
// other range two comparisons.
func encodeRange(m artifact.Match) ([]expr.Any, error) {
	load, ok := loads()[m.Kind]
	typ := m.Kind.SetType()
	if !ok || !typ.Interval() {
		return nil, fmt.Errorf("has no ranges")
	}
	if len(m.Low) != typ.Width() || len(m.High) != typ.Width() || bytes.Compare(m.Low, m.High) > 0 {
		return nil, fmt.Errorf("bad range %x-%x", m.Low, m.High)
	}
	op := expr.CmpOpEq
	if m.Not {
		op = expr.CmpOpNeq
	}
	n, block := prefixBits(m.Low, m.High)
	payload, address := load.(*expr.Payload)
	address = address && payload.Base == expr.PayloadBaseNetworkHeader
	switch {
	case bytes.Equal(m.Low, m.High):
		return []expr.Any{load, &expr.Cmp{Op: op, Register: reg, Data: m.Low}}, nil
	case address && block && n%8 == 0 && n > 0:
		payload.Len = uint32(n / 8)
		return []expr.Any{payload, &expr.Cmp{Op: op, Register: reg, Data: m.Low[:n/8]}}, nil
	case address && block && n > 0:
		return []expr.Any{
			payload,
			&expr.Bitwise{
				SourceRegister: reg, DestRegister: reg, Len: payload.Len, Mask: prefixMask(n, len(m.Low)), Xor: make([]byte, len(m.Low)),
			},
			&expr.Cmp{Op: op, Register: reg, Data: m.Low},
		}, nil
	case m.Not:
		return []expr.Any{load, &expr.Range{Op: expr.CmpOpNeq, Register: reg, FromData: m.Low, ToData: m.High}}, nil
	}
	return []expr.Any{
		load,
		&expr.Cmp{Op: expr.CmpOpGte, Register: reg, Data: m.Low},
		&expr.Cmp{Op: expr.CmpOpLte, Register: reg, Data: m.High},
	}, nil
}

// prefixBits is how many leading bits the values of a range share; ok if the
// range is all values that share them.
func prefixBits(low, high []byte) (n int, ok bool) {
	for i := range low {
		x := low[i] ^ high[i]
		if x == 0 {
			n += 8
			continue
		}
		n += bits.LeadingZeros8(x)
		break
	}
	mask := prefixMask(n, len(low))
	for i := range low {
		if low[i]&^mask[i] != 0 || high[i]|mask[i] != 0xff {
			return n, false
		}
	}
	return n, true
}

func prefixMask(n, width int) []byte {
	out := make([]byte, width)
	for i := range n {
		out[i/8] |= 0x80 >> (i % 8)
	}
	return out
}

// takeRange reads what encodeRange makes, but for single numbers, which are
// no ranges.
func takeRange(ops []op) (artifact.Match, int) {
	kind, ok := loadedKind(ops[0])
	if !ok || len(ops) < 2 {
		return artifact.Match{}, 0
	}
	width := kind.SetType().Width()
	m := artifact.Match{Kind: kind}
	n := 2
	switch o := ops[1]; {
	case o.kind == opRange && o.cmp == unix.NFT_RANGE_NEQ:
		m.Not, m.Low, m.High = true, o.data, o.high
	case starts(ops[1:], opCmp, opCmp) && o.cmp == unix.NFT_CMP_GTE && ops[2].cmp == unix.NFT_CMP_LTE:
		m.Low, m.High, n = o.data, ops[2].data, 3
	case ops[0].base == unix.NFT_PAYLOAD_NETWORK_HEADER && o.kind == opCmp:
		not, ok := equality(o)
		if !ok || len(o.data) != int(ops[0].length) {
			return artifact.Match{}, 0
		}
		m.Not = not
		m.Low, m.High = blockOf(o.data, len(o.data)*8, width)
	case starts(ops[1:], opBitwise, opCmp) && ops[0].base == unix.NFT_PAYLOAD_NETWORK_HEADER:
		not, ok := equality(ops[2])
		bits, isPrefix := prefixBits(make([]byte, len(o.mask)), inverted(o.mask))
		if !ok || !isPrefix || len(o.mask) != width || !isZero(o.xor) || len(ops[2].data) != width {
			return artifact.Match{}, 0
		}
		m.Not, n = not, 3
		m.Low, m.High = blockOf(ops[2].data, bits, width)
	}
	if len(m.Low) != width || len(m.High) != width || bytes.Compare(m.Low, m.High) > 0 {
		return artifact.Match{}, 0
	}
	return m, n
}

func inverted(b []byte) []byte {
	out := make([]byte, len(b))
	for i := range b {
		out[i] = ^b[i]
	}
	return out
}

// blockOf is the first and the last value of so many bits.
func blockOf(data []byte, bits, width int) (low, high []byte) {
	low, high = make([]byte, width), prefixMask(bits, width)
	copy(low, data)
	for i := range high {
		high[i] = low[i] | ^high[i]
	}
	return low, high
}

// loadedKind is the kind of match whose value was loaded, or the beginning of
// an address.
func loadedKind(load op) (artifact.MatchKind, bool) {
	for kind, e := range loads() {
		switch e := e.(type) {
		case *expr.Meta:
			if load.kind == opMeta && load.key == uint32(e.Key) && kind.SetType().Interval() {
				return kind, true
			}
		case *expr.Payload:
			short := load.length == e.Len || e.Base == expr.PayloadBaseNetworkHeader && load.length < e.Len && load.length > 0
			if load.kind == opPayloadLoad && load.base == uint32(e.Base) && load.offset == e.Offset && short {
				return kind, true
			}
		}
	}
	return "", false
}
