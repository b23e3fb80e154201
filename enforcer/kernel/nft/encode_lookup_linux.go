package nft

import (
	"fmt"

	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"

	"github.com/netpol/netpol/compiler/artifact"
)

// statusConfirmed is IPS_CONFIRMED (linux/netfilter/nf_conntrack_common.h): the
// connection's first packet has left the host, or come up to a socket.
const statusConfirmed = 1 << 3

func encodeStatus(m artifact.Match) ([]expr.Any, error) {
	if m.Name != "confirmed" {
		return nil, fmt.Errorf("unknown status %q", m.Name)
	}
	return masked(expr.CtKeySTATUS, binaryutil.NativeEndian.PutUint32(statusConfirmed), !m.Not), nil
}

// Where the network headers keep their addresses (RFC 791, RFC 8200).
const (
	saddr4Offset, daddr4Offset = 12, 16
	saddr6Offset, daddr6Offset = 8, 24
)

// loads are the expressions that put what a set is asked for into the
// register.
func loads() map[artifact.MatchKind]expr.Any {
	address := func(offset, length uint32) expr.Any {
		return &expr.Payload{DestRegister: reg, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: length}
	}
	port := func(offset uint32) expr.Any {
		return &expr.Payload{DestRegister: reg, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: 2}
	}
	return map[artifact.MatchKind]expr.Any{
		artifact.MatchL4Proto: &expr.Meta{Key: expr.MetaKeyL4PROTO, Register: reg},
		artifact.MatchAlive:   &expr.Meta{Key: expr.MetaKeyNFPROTO, Register: reg},
		artifact.MatchIIFName: &expr.Meta{Key: expr.MetaKeyIIFNAME, Register: reg},
		artifact.MatchOIFName: &expr.Meta{Key: expr.MetaKeyOIFNAME, Register: reg},
		artifact.MatchSport:   port(sportOffset),
		artifact.MatchDport:   port(dportOffset),
		artifact.MatchSaddr4:  address(saddr4Offset, 4),
		artifact.MatchDaddr4:  address(daddr4Offset, 4),
		artifact.MatchSaddr6:  address(saddr6Offset, 16),
		artifact.MatchDaddr6:  address(daddr6Offset, 16),
	}
}

func encodeLookup(m artifact.Match) ([]expr.Any, error) {
	if !safeName.MatchString(m.Set) {
		return nil, fmt.Errorf("bad set name %q", m.Set)
	}
	if m.Kind == artifact.MatchTime {
		return encodeTime(m), nil
	}
	load, ok := loads()[m.Kind]
	if !ok {
		return nil, fmt.Errorf("has no sets")
	}
	return []expr.Any{load, &expr.Lookup{SourceRegister: reg, SetName: m.Set, Invert: m.Not}}, nil
}
