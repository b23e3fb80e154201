package nft

import (
	"fmt"

	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
)

func encodeStatement(s artifact.Statement) ([]expr.Any, error) {
	switch s.Kind {
	case artifact.DoCounter:
		return []expr.Any{&expr.Counter{}}, nil
	case artifact.DoLog:
		return encodeLog(s)
	case artifact.DoSetDSCP4, artifact.DoSetDSCP6:
		return encodeDSCP(s)
	case artifact.DoSetCTLabel:
		bit, err := labelBit(s.Bit)
		if err != nil {
			return nil, err
		}
		return []expr.Any{
			&expr.Immediate{Register: reg, Data: bit},
			&expr.Ct{Key: expr.CtKeyLABELS, Register: reg, SourceRegister: true},
		}, nil
	case artifact.DoNoTrack:
		return []expr.Any{&expr.Notrack{}}, nil
	case artifact.DoFlowAdd:
		if !safeName.MatchString(s.Name) {
			return nil, fmt.Errorf("bad flowtable name %q", s.Name)
		}
		return []expr.Any{&expr.FlowOffload{Name: s.Name + "\x00"}}, nil // which expr leaves out, and nft does not
	case artifact.DoSetSynAck:
		return encodeSynAck(), nil
	case artifact.DoAccept:
		return []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}}, nil
	case artifact.DoDrop:
		return []expr.Any{&expr.Verdict{Kind: expr.VerdictDrop}}, nil
	case artifact.DoReturn:
		return []expr.Any{&expr.Verdict{Kind: expr.VerdictReturn}}, nil
	case artifact.DoSetCTMark:
		return []expr.Any{
			&expr.Ct{Key: expr.CtKeyMARK, Register: reg},
			&expr.Bitwise{
				SourceRegister: reg, DestRegister: reg, Len: 4,
				Mask: binaryutil.NativeEndian.PutUint32(^s.Mask),
				Xor:  binaryutil.NativeEndian.PutUint32(s.Value & s.Mask),
			},
			&expr.Ct{Key: expr.CtKeyMARK, Register: reg, SourceRegister: true},
		}, nil
	case artifact.DoJump:
		return encodeBranch(expr.VerdictJump, s.Name)
	case artifact.DoGoto:
		return encodeBranch(expr.VerdictGoto, s.Name)
	case artifact.DoVMap:
		return encodeVMap(s)
	case artifact.DoCountIn, artifact.DoOverQuota, artifact.DoOverLimit, artifact.DoWithinLimit, artifact.DoUpdate,
		artifact.DoSyslog, artifact.DoSetPriority, artifact.DoSetMark, artifact.DoRejectICMP:
		return encodeAccount(s)
	case artifact.DoQueue:
		return encodeQueue(s)
	case artifact.DoRejectTCPReset:
		return []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_TCP_RST}}, nil
	case artifact.DoRejectAdmin:
		return []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: unix.NFT_REJECT_ICMPX_ADMIN_PROHIBITED}}, nil
	}
	return nil, errUnknownKind
}

func encodeBranch(kind expr.VerdictKind, chain string) ([]expr.Any, error) {
	if !safeName.MatchString(chain) {
		return nil, fmt.Errorf("bad chain name %q", chain)
	}
	return []expr.Any{&expr.Verdict{Kind: kind, Chain: chain}}, nil
}

// maxPrefix is how long a log prefix may be (NF_LOG_PREFIXLEN, 128 with NUL).
const maxPrefix = 127

func encodeLog(s artifact.Statement) ([]expr.Any, error) {
	if !safeName.MatchString(s.Name) || len(s.Name) > maxPrefix {
		return nil, fmt.Errorf("bad log prefix %q", s.Name)
	}
	return []expr.Any{&expr.Log{
		Key:   1<<unix.NFTA_LOG_GROUP | 1<<unix.NFTA_LOG_PREFIX | 1<<unix.NFTA_LOG_SNAPLEN,
		Group: s.Group, Snaplen: s.Snaplen, Data: []byte(s.Name),
	}}, nil
}

// The DSCP is six bits of the first two bytes of either header, and the ECN
// bits beside it stay: in IPv4 the upper bits of the second byte (RFC 791
// section 3.1 as changed by RFC 2474), in IPv6 bits 4 to 9 (RFC 8200 section 3).
const (
	dscpKeep4, dscpShift4 = 0xff03, 2
	dscpKeep6, dscpShift6 = 0xf03f, 6

	// ipChecksumOffset is where IPv4 keeps its header checksum; IPv6 has none.
	ipChecksumOffset = 10
)

func encodeDSCP(s artifact.Statement) ([]expr.Any, error) {
	if s.Value > 63 {
		return nil, fmt.Errorf("dscp %d is not in 0..63", s.Value)
	}
	keep, shift := uint16(dscpKeep4), dscpShift4
	write := &expr.Payload{
		OperationType: expr.PayloadWrite, SourceRegister: reg,
		Base: expr.PayloadBaseNetworkHeader, Len: 2,
		CsumType: expr.CsumTypeInet, CsumOffset: ipChecksumOffset,
	}
	if s.Kind == artifact.DoSetDSCP6 {
		keep, shift = dscpKeep6, dscpShift6
		write.CsumType, write.CsumOffset = expr.CsumTypeNone, 0
	}
	return []expr.Any{
		&expr.Payload{DestRegister: reg, Base: expr.PayloadBaseNetworkHeader, Len: 2},
		&expr.Bitwise{
			SourceRegister: reg, DestRegister: reg, Len: 2,
			Mask: binaryutil.BigEndian.PutUint16(keep),
			Xor:  binaryutil.BigEndian.PutUint16(uint16(s.Value) << shift),
		},
		write,
	}, nil
}
