package nft

import (
	"fmt"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// encodeVMap looks a value up in a map of verdicts.
func encodeVMap(s artifact.Statement) ([]expr.Any, error) {
	load, ok := loads()[s.Key]
	if !ok {
		return nil, fmt.Errorf("no maps of %q", s.Key)
	}
	if !safeName.MatchString(s.Name) {
		return nil, fmt.Errorf("bad map name %q", s.Name)
	}
	return []expr.Any{load, &expr.Lookup{
		SourceRegister: reg, DestRegister: unix.NFT_REG_VERDICT, IsDestRegSet: true, SetName: s.Name,
	}}, nil
}

// takeVMap reads what encodeVMap makes.
func takeVMap(ops []op) (artifact.Statement, int) {
	m, n := takeLookup(ops)
	return artifact.Statement{Kind: artifact.DoVMap, Key: m.Kind, Name: m.Set}, n
}

// jumpData is the data of an element of a verdict map: struct nft_verdict.
func jumpData(buf []byte, chain string) []byte {
	buf, data := nfnl.Nest(buf, unix.NFTA_SET_ELEM_DATA)
	buf, verdict := nfnl.Nest(buf, unix.NFTA_DATA_VERDICT)
	code := int32(unix.NFT_JUMP)
	buf = nfnl.Uint32(buf, unix.NFTA_VERDICT_CODE, uint32(code))
	buf = nfnl.String(buf, unix.NFTA_VERDICT_CHAIN, chain)
	return nfnl.Unnest(nfnl.Unnest(buf, verdict), data)
}

// decodeJumpData is the chain that an element jumps to; false if it has other
// data. No data is no chain.
func decodeJumpData(b []byte) (string, bool) {
	if b == nil {
		return "", true
	}
	data := splitAttrs(b)
	v := splitAttrs(data.by[unix.NFTA_DATA_VERDICT])
	chain := v.text(unix.NFTA_VERDICT_CHAIN)
	return chain, data.only(unix.NFTA_DATA_VERDICT) && int32(v.u32(unix.NFTA_VERDICT_CODE)) == unix.NFT_JUMP && safeName.MatchString(chain)
}
