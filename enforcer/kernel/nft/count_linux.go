package nft

import (
	"encoding/binary"
	"fmt"

	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// encodeCount compares a connection's 64-bit count in network order, because
// the kernel's ordered comparison is memcmp.
func encodeCount(key expr.CtKey, m artifact.Match) ([]expr.Any, error) {
	op := expr.CmpOpLt
	if m.Not {
		op = expr.CmpOpGte
	}
	var load expr.Any = &expr.Ct{Key: key, Register: reg}
	if m.Name != "" {
		dir, ok := directions()[m.Name]
		if !ok {
			return nil, fmt.Errorf("unknown direction %q", m.Name)
		}
		load = countOf{&expr.Ct{Key: key, Register: reg}, dir}
	}
	return []expr.Any{
		load,
		&expr.Byteorder{SourceRegister: reg, DestRegister: reg, Op: expr.ByteorderHton, Len: 8, Size: 8},
		&expr.Cmp{Op: op, Register: reg, Data: binaryutil.BigEndian.PutUint64(m.Limit)},
	}, nil
}

// directions are the numbers of enum ip_conntrack_dir.
func directions() map[string]byte { return map[string]byte{"original": 0, "reply": 1} }

// countOf loads one direction's count, which google/nftables has no form for.
type countOf struct {
	*expr.Ct
	direction byte
}

// marshal is the expression as the kernel reads it (NFTA_LIST_ELEM's content).
func marshal(family byte, e expr.Any) ([]byte, error) {
	count, ok := e.(countOf)
	if !ok {
		return expr.Marshal(family, e)
	}
	buf := nfnl.String(nil, unix.NFTA_EXPR_NAME, "ct")
	buf, nest := nfnl.Nest(buf, unix.NFTA_EXPR_DATA)
	buf = nfnl.Uint32(buf, unix.NFTA_CT_KEY, uint32(count.Key))
	buf = nfnl.Uint32(buf, unix.NFTA_CT_DREG, count.Register)
	buf = nfnl.Uint8(buf, unix.NFTA_CT_DIRECTION, count.direction)
	return nfnl.Unnest(buf, nest), nil
}

// takeCount reads what encodeCount makes.
func takeCount(ops []op) (artifact.Match, int) {
	load, cmp := ops[0], ops[2]
	kind, ok := map[uint32]artifact.MatchKind{unix.NFT_CT_PKTS: artifact.MatchCTPackets, unix.NFT_CT_BYTES: artifact.MatchCTBytes}[load.key]
	if !ok || len(cmp.data) != 8 || cmp.cmp != unix.NFT_CMP_LT && cmp.cmp != unix.NFT_CMP_GTE {
		return artifact.Match{}, 0
	}
	return artifact.Match{
		Kind: kind, Name: load.direction, Not: cmp.cmp == unix.NFT_CMP_GTE, Limit: binary.BigEndian.Uint64(cmp.data),
	}, 3
}

// decodeCT reads a load or a write; only counts have a direction with us.
func decodeCT(a attrs) op {
	key := a.u32(unix.NFTA_CT_KEY)
	switch {
	case a.only(unix.NFTA_CT_KEY, unix.NFTA_CT_DREG) && a.u32(unix.NFTA_CT_DREG) == reg:
		return op{kind: opCTLoad, key: key}
	case a.only(unix.NFTA_CT_KEY, unix.NFTA_CT_DREG, unix.NFTA_CT_DIRECTION) && a.u32(unix.NFTA_CT_DREG) == reg &&
		(key == unix.NFT_CT_PKTS || key == unix.NFT_CT_BYTES):
		number := nfnl.Attr{Data: a.by[unix.NFTA_CT_DIRECTION]}.Uint8()
		for name, n := range directions() {
			if n == number {
				return op{kind: opCTLoad, key: key, direction: name}
			}
		}
	case a.only(unix.NFTA_CT_KEY, unix.NFTA_CT_SREG) && a.u32(unix.NFTA_CT_SREG) == reg:
		return op{kind: opCTSet, key: key}
	}
	return op{}
}

// metaTime is NFT_META_TIME_NS (enum nft_meta_keys, linux/netfilter/nf_tables.h,
// since 5.5): the time in nanoseconds, in the host's byte order.
const metaTime = 30

// encodeTime looks the time up: the intervals of a set are compared byte by byte.
func encodeTime(m artifact.Match) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: metaTime, Register: reg},
		&expr.Byteorder{SourceRegister: reg, DestRegister: reg, Op: expr.ByteorderHton, Len: 8, Size: 8},
		&expr.Lookup{SourceRegister: reg, SetName: m.Set, Invert: m.Not},
	}
}

func takeTime(ops []op) (artifact.Match, int) {
	if ops[0].key != metaTime || !safeName.MatchString(ops[2].set) {
		return artifact.Match{}, 0
	}
	return artifact.Match{Kind: artifact.MatchTime, Set: ops[2].set, Not: ops[2].invert}, 3
}
