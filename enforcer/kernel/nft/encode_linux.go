package nft

import (
	"fmt"
	"regexp"

	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
)

// reg is the one register that every expression of ours uses (NFT_REG_1, 16
// bytes: wide enough for a label set and an interface name).
const reg = unix.NFT_REG_1

// labelBytes is the size of a label set (NF_CT_LABELS_MAX_SIZE,
// net/netfilter/nf_conntrack_labels.h).
const labelBytes = 16

// safeName is what names of tables, chains, devices and log prefixes may be
// made of: the kernel takes newlines and escapes, and later readers would
// choke on them.
var safeName = regexp.MustCompile(`^[A-Za-z0-9_.@+-]+$`)

// encode turns a rule into the expressions that "nft -f" would make of its
// text.
func encode(r artifact.Rule) ([]expr.Any, error) {
	var out []expr.Any
	for _, m := range r.Match {
		exprs, err := encodeMatch(m)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Kind, err)
		}
		out = append(out, exprs...)
	}
	for _, s := range r.Do {
		exprs, err := encodeStatement(s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Kind, err)
		}
		out = append(out, exprs...)
	}
	return out, nil
}

func encodeMatch(m artifact.Match) ([]expr.Any, error) {
	op := expr.CmpOpEq
	if m.Not {
		op = expr.CmpOpNeq
	}
	if m.Set != "" {
		return encodeLookup(m)
	}
	if m.Low != nil {
		return encodeRange(m)
	}
	switch m.Kind {
	case artifact.MatchCTLabel:
		return encodeLabel(m)
	case artifact.MatchCTState:
		return encodeState(m)
	case artifact.MatchCTMark:
		return encodeMark(&expr.Ct{Key: expr.CtKeyMARK, Register: reg}, op, m), nil
	case artifact.MatchMark:
		return encodeMark(&expr.Meta{Key: expr.MetaKeyMARK, Register: reg}, op, m), nil
	case artifact.MatchCTID:
		return encodeID(op, m)
	case artifact.MatchCTPackets:
		return encodeCount(expr.CtKeyPKTS, m)
	case artifact.MatchCTBytes:
		return encodeCount(expr.CtKeyBYTES, m)
	case artifact.MatchCTDirection:
		return encodeDirection(op, m.Name)
	case artifact.MatchL4Proto:
		return encodeProtocol(op, m.Value)
	case artifact.MatchFamily:
		return encodeFamily(op, m.Value)
	case artifact.MatchTCPReset:
		return encodeTCPReset(m), nil
	case artifact.MatchIIFName:
		return encodeDevice(expr.MetaKeyIIFNAME, op, m.Name)
	case artifact.MatchOIFName:
		return encodeDevice(expr.MetaKeyOIFNAME, op, m.Name)
	case artifact.MatchSport:
		return encodePort(sportOffset, op, m.Value)
	case artifact.MatchDport:
		return encodePort(dportOffset, op, m.Value)
	case artifact.MatchCTStatus:
		return encodeStatus(m)
	case artifact.MatchDSCP4, artifact.MatchDSCP6:
		return encodeMatchDSCP(m)
	case artifact.MatchSaddr4, artifact.MatchDaddr4, artifact.MatchSaddr6, artifact.MatchDaddr6, artifact.MatchTime, artifact.MatchAlive:
		return nil, fmt.Errorf("needs a set or a range")
	}
	return nil, errUnknownKind
}

func encodeLabel(m artifact.Match) ([]expr.Any, error) {
	bits := m.Bits
	if len(bits) == 0 {
		bits = []int{m.Bit}
	}
	mask := make([]byte, labelBytes)
	for _, n := range bits {
		bit, err := labelBit(n)
		if err != nil {
			return nil, err
		}
		for i := range mask {
			mask[i] |= bit[i]
		}
	}
	return masked(expr.CtKeyLABELS, mask, !m.Not), nil
}

func encodeState(m artifact.Match) ([]expr.Any, error) {
	bit, ok := stateBits()[m.Name]
	if !ok {
		return nil, fmt.Errorf("unknown state %q", m.Name)
	}
	return masked(expr.CtKeySTATE, binaryutil.NativeEndian.PutUint32(bit), !m.Not), nil
}

func encodeMark(load expr.Any, op expr.CmpOp, m artifact.Match) []expr.Any {
	return []expr.Any{
		load,
		&expr.Bitwise{
			SourceRegister: reg, DestRegister: reg, Len: 4,
			Mask: binaryutil.NativeEndian.PutUint32(m.Mask), Xor: make([]byte, 4),
		},
		&expr.Cmp{Op: op, Register: reg, Data: binaryutil.NativeEndian.PutUint32(m.Value)},
	}
}

// encodeID takes the number in network byte order, as nft prints it and
// ctnetlink tells it.
func encodeID(op expr.CmpOp, m artifact.Match) ([]expr.Any, error) {
	if m.Mask == 0 {
		return nil, fmt.Errorf("needs a mask")
	}
	return []expr.Any{
		&expr.Ct{Key: unix.NFT_CT_ID, Register: reg},
		&expr.Bitwise{
			SourceRegister: reg, DestRegister: reg, Len: 4,
			Mask: binaryutil.BigEndian.PutUint32(m.Mask), Xor: make([]byte, 4),
		},
		&expr.Cmp{Op: op, Register: reg, Data: binaryutil.BigEndian.PutUint32(m.Value)},
	}, nil
}

func encodeDirection(op expr.CmpOp, name string) ([]expr.Any, error) {
	dir, ok := directions()[name]
	if !ok {
		return nil, fmt.Errorf("unknown direction %q", name)
	}
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeyDIRECTION, Register: reg},
		&expr.Cmp{Op: op, Register: reg, Data: []byte{dir}},
	}, nil
}

// masked is "key & bits" compared with zero: set means one of the bits is.
func masked(key expr.CtKey, bits []byte, set bool) []expr.Any {
	op := expr.CmpOpEq
	if set {
		op = expr.CmpOpNeq
	}
	zero := make([]byte, len(bits))
	return []expr.Any{
		&expr.Ct{Key: key, Register: reg},
		&expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: uint32(len(bits)), Mask: bits, Xor: zero},
		&expr.Cmp{Op: op, Register: reg, Data: zero},
	}
}

// labelBit is the label set with one bit on: bit n is bit n%8 of byte n/8 on
// little-endian hosts.
func labelBit(n int) ([]byte, error) {
	if n < 0 || n >= labelBytes*8 {
		return nil, fmt.Errorf("label bit %d is not in 0..%d", n, labelBytes*8-1)
	}
	b := make([]byte, labelBytes)
	b[n/8] = 1 << (n % 8)
	return b, nil
}

// stateBits are the bits that "ct state" tests (NF_CT_STATE_BIT).
func stateBits() map[string]uint32 {
	return map[string]uint32{
		"invalid":     expr.CtStateBitINVALID,
		"established": expr.CtStateBitESTABLISHED,
		"related":     expr.CtStateBitRELATED,
		"new":         expr.CtStateBitNEW,
		"untracked":   expr.CtStateBitUNTRACKED,
	}
}

func encodeProtocol(op expr.CmpOp, number uint32) ([]expr.Any, error) {
	if number > 255 {
		return nil, fmt.Errorf("protocol %d is not in 0..255", number)
	}
	return meta(expr.MetaKeyL4PROTO, op, []byte{byte(number)}), nil
}

func encodeFamily(op expr.CmpOp, version uint32) ([]expr.Any, error) {
	family, ok := map[uint32]byte{4: unix.NFPROTO_IPV4, 6: unix.NFPROTO_IPV6}[version]
	if !ok {
		return nil, fmt.Errorf("family %d is neither 4 nor 6", version)
	}
	return meta(expr.MetaKeyNFPROTO, op, []byte{family}), nil
}

func meta(key expr.MetaKey, op expr.CmpOp, data []byte) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: key, Register: reg},
		&expr.Cmp{Op: op, Register: reg, Data: data},
	}
}

// encodeDevice compares all 16 bytes of the name: a shorter comparison would
// be a wildcard.
func encodeDevice(key expr.MetaKey, op expr.CmpOp, name string) ([]expr.Any, error) {
	if len(name) >= unix.IFNAMSIZ || !safeName.MatchString(name) {
		return nil, fmt.Errorf("bad interface name %q", name)
	}
	data := make([]byte, unix.IFNAMSIZ)
	copy(data, name)
	return meta(key, op, data), nil
}

// Where TCP, UDP and SCTP alike keep their ports.
const (
	sportOffset = 0
	dportOffset = 2
)

func encodePort(offset uint32, op expr.CmpOp, port uint32) ([]expr.Any, error) {
	if port > 65535 {
		return nil, fmt.Errorf("port %d is not in 0..65535", port)
	}
	return []expr.Any{
		&expr.Payload{DestRegister: reg, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: 2},
		&expr.Cmp{Op: op, Register: reg, Data: binaryutil.BigEndian.PutUint16(uint16(port))},
	}, nil
}
