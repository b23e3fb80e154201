package nft

import (
	"encoding/binary"
	"fmt"
	"math"
	"regexp"
	"time"

	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// ctID is NFT_CT_ID (enum nft_ct_keys, linux/netfilter/nf_tables.h, since 5.2).
const ctID = 23

// logText is what a prefix in the kernel's log may be made of.
var logText = regexp.MustCompile(`^[A-Za-z0-9 _./:(),+;=<>\[\]#@-]{1,127}$`)

func encodeAccount(s artifact.Statement) ([]expr.Any, error) {
	switch s.Kind {
	case artifact.DoCountIn, artifact.DoOverQuota:
		return encodeObject(s)
	case artifact.DoOverLimit, artifact.DoWithinLimit:
		limit, err := encodeLimit(s.Limit, s.Kind == artifact.DoOverLimit)
		return []expr.Any{limit}, err
	case artifact.DoUpdate:
		return encodeUpdate(s)
	case artifact.DoSyslog:
		if !logText.MatchString(s.Name) {
			return nil, fmt.Errorf("bad log prefix %q", s.Name)
		}
		return []expr.Any{&expr.Log{Key: 1 << unix.NFTA_LOG_PREFIX, Data: []byte(s.Name)}}, nil
	case artifact.DoSetPriority:
		return []expr.Any{
			&expr.Immediate{Register: reg, Data: binaryutil.NativeEndian.PutUint32(s.Value)},
			&expr.Meta{Key: expr.MetaKeyPRIORITY, SourceRegister: true, Register: reg},
		}, nil
	case artifact.DoSetMark:
		return []expr.Any{
			&expr.Meta{Key: expr.MetaKeyMARK, Register: reg},
			&expr.Bitwise{
				SourceRegister: reg, DestRegister: reg, Len: 4,
				Mask: binaryutil.NativeEndian.PutUint32(^s.Mask), Xor: binaryutil.NativeEndian.PutUint32(s.Value & s.Mask),
			},
			&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: reg},
		}, nil
	case artifact.DoRejectICMP:
		code, ok := icmpxCodes()[s.Name]
		if !ok {
			return nil, fmt.Errorf("unknown icmpx code %q", s.Name)
		}
		return []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: code}}, nil
	default:
		return nil, errUnknownKind
	}
}

// icmpxCodes are the reasons that nft translates for either family (enum
// nft_reject_inet_code).
func icmpxCodes() map[string]uint8 {
	return map[string]uint8{
		"no-route": unix.NFT_REJECT_ICMPX_NO_ROUTE, "port-unreachable": unix.NFT_REJECT_ICMPX_PORT_UNREACH,
		"host-unreachable": unix.NFT_REJECT_ICMPX_HOST_UNREACH, "admin-prohibited": unix.NFT_REJECT_ICMPX_ADMIN_PROHIBITED,
	}
}

// objectTypes are the kernel's numbers (NFT_OBJECT_COUNTER and _QUOTA).
func objectTypes() map[artifact.ObjectKind]uint32 {
	return map[artifact.ObjectKind]uint32{artifact.ObjectCounter: unix.NFT_OBJECT_COUNTER, artifact.ObjectQuota: unix.NFT_OBJECT_QUOTA}
}

func encodeObject(s artifact.Statement) ([]expr.Any, error) {
	kind := artifact.ObjectCounter
	if s.Kind == artifact.DoOverQuota {
		kind = artifact.ObjectQuota
	}
	if !safeName.MatchString(s.Name) {
		return nil, fmt.Errorf("bad object name %q", s.Name)
	}
	return []expr.Any{&expr.Objref{Type: int(objectTypes()[kind]), Name: s.Name}}, nil
}

func encodeLimit(l artifact.Limit, over bool) (*expr.Limit, error) {
	seconds := uint64(l.Unit / time.Second)
	if l.Rate == 0 || seconds == 0 || l.Unit%time.Second != 0 {
		return nil, fmt.Errorf("bad limit %s", l)
	}
	e := &expr.Limit{Type: expr.LimitTypePkts, Rate: l.Rate, Over: over, Unit: expr.LimitTime(seconds), Burst: l.Burst}
	if l.Bytes {
		e.Type = expr.LimitTypePktBytes
	}
	return e, nil
}

func encodeUpdate(s artifact.Statement) ([]expr.Any, error) {
	var load expr.Any = &expr.Ct{Key: ctID, Register: reg}
	if s.Key != artifact.MatchCTID {
		var ok bool
		if load, ok = loads()[s.Key]; !ok {
			return nil, fmt.Errorf("no sets of %q", s.Key)
		}
	}
	if !safeName.MatchString(s.Name) {
		return nil, fmt.Errorf("bad set name %q", s.Name)
	}
	var account expr.Any = &expr.Counter{}
	switch {
	case s.Limit.Rate > 0:
		limit, err := encodeLimit(s.Limit, true)
		if err != nil {
			return nil, err
		}
		account = limit
	case s.Bytes > 0:
		account = &expr.Quota{Bytes: s.Bytes, Over: true}
	}
	return []expr.Any{load, &expr.Dynset{
		SrcRegKey: reg, SetName: s.Name, Operation: unix.NFT_DYNSET_OP_UPDATE, Exprs: []expr.Any{account},
	}}, nil
}

// object adds a counter or a quota. A quota goes on with its rule when it is
// used up (NFT_QUOTA_F_INV).
func (b *batch) object(family uint8, table string, o artifact.Object) error {
	kind, ok := objectTypes()[o.Kind]
	if !ok || !safeName.MatchString(o.Name) || len(o.Name) >= unix.NFT_NAME_MAXLEN || (o.Kind == artifact.ObjectQuota) != (o.Bytes > 0) {
		return fmt.Errorf("bad object")
	}
	b.add("add "+string(o.Kind)+" "+o.Name, unix.NFT_MSG_NEWOBJ, nfnl.FlagCreate, family, func(buf []byte) []byte {
		buf = nfnl.String(buf, unix.NFTA_OBJ_TABLE, table)
		buf = nfnl.String(buf, unix.NFTA_OBJ_NAME, o.Name)
		buf = nfnl.Uint32(buf, unix.NFTA_OBJ_TYPE, kind)
		buf, nest := nfnl.Nest(buf, unix.NFTA_OBJ_DATA)
		if o.Kind == artifact.ObjectQuota {
			buf = nfnl.Uint64(buf, unix.NFTA_QUOTA_BYTES, o.Bytes)
			buf = nfnl.Uint32(buf, unix.NFTA_QUOTA_FLAGS, unix.NFT_QUOTA_F_INV)
		}
		return nfnl.Unnest(buf, nest)
	})
	return nil
}

// decodeObject is a live counter or quota; false for what we do not make.
func decodeObject(a attrs) (artifact.Object, bool) {
	o := artifact.Object{Name: a.text(unix.NFTA_OBJ_NAME)}
	for kind, number := range objectTypes() {
		if number == a.u32(unix.NFTA_OBJ_TYPE) {
			o.Kind = kind
		}
	}
	data := splitAttrs(a.by[unix.NFTA_OBJ_DATA])
	if o.Kind == artifact.ObjectQuota {
		o.Bytes = data.u64(unix.NFTA_QUOTA_BYTES)
		return o, data.u32(unix.NFTA_QUOTA_FLAGS)&unix.NFT_QUOTA_F_INV != 0 && safeName.MatchString(o.Name)
	}
	return o, o.Kind != "" && safeName.MatchString(o.Name)
}

// takeAccount recognises the expressions that encodeAccount makes.
func takeAccount(ops []op) (artifact.Statement, int) {
	switch o := ops[0]; {
	case o.kind == opObject && o.key == unix.NFT_OBJECT_COUNTER:
		return artifact.Statement{Kind: artifact.DoCountIn, Name: o.set}, 1
	case o.kind == opObject && o.key == unix.NFT_OBJECT_QUOTA:
		return artifact.Statement{Kind: artifact.DoOverQuota, Name: o.set}, 1
	case o.kind == opLimit && o.invert:
		return artifact.Statement{Kind: artifact.DoOverLimit, Limit: o.limit}, 1
	case o.kind == opLimit:
		return artifact.Statement{Kind: artifact.DoWithinLimit, Limit: o.limit}, 1
	case o.kind == opSyslog && logText.MatchString(o.prefix):
		return artifact.Statement{Kind: artifact.DoSyslog, Name: o.prefix}, 1
	case starts(ops, opImmediate, opMetaSet) && ops[1].key == unix.NFT_META_PRIORITY && len(o.data) == 4:
		return artifact.Statement{Kind: artifact.DoSetPriority, Value: binary.NativeEndian.Uint32(o.data)}, 2
	case o.kind == opReject && o.reject[0] == unix.NFT_REJECT_ICMPX_UNREACH:
		for name, code := range icmpxCodes() {
			if uint32(code) == o.reject[1] {
				return artifact.Statement{Kind: artifact.DoRejectICMP, Name: name}, 1
			}
		}
	case starts(ops, opMeta, opBitwise, opMetaSet) && o.key == unix.NFT_META_MARK && ops[2].key == unix.NFT_META_MARK:
		if mask, value, ok := maskedWrite(ops[1]); ok {
			return artifact.Statement{Kind: artifact.DoSetMark, Mask: mask, Value: value}, 3
		}
	case starts(ops, opCTLoad, opUpdate) && o.key == ctID:
		return updateOf(artifact.MatchCTID, ops[1]), 2
	case starts(ops, opMeta, opUpdate), starts(ops, opPayloadLoad, opUpdate):
		if kind, ok := wholeKind(o); ok {
			return updateOf(kind, ops[1]), 2
		}
	}
	return artifact.Statement{}, 0
}

func updateOf(key artifact.MatchKind, o op) artifact.Statement {
	return artifact.Statement{Kind: artifact.DoUpdate, Name: o.set, Key: key, Limit: o.limit, Bytes: o.bytes}
}

// decodeLimit reads a limit; false if it is none that we make.
func decodeLimit(a attrs) op {
	const flags = unix.NFTA_LIMIT_FLAGS
	if !a.only(unix.NFTA_LIMIT_RATE, unix.NFTA_LIMIT_UNIT, unix.NFTA_LIMIT_BURST, unix.NFTA_LIMIT_TYPE, flags) ||
		a.u64(unix.NFTA_LIMIT_UNIT) > math.MaxInt32 {
		return op{}
	}
	return op{kind: opLimit, invert: a.u32(flags)&unix.NFT_LIMIT_F_INV != 0, limit: artifact.Limit{
		Rate: a.u64(unix.NFTA_LIMIT_RATE), Unit: time.Duration(a.u64(unix.NFTA_LIMIT_UNIT)) * time.Second,
		Burst: a.u32(unix.NFTA_LIMIT_BURST), Bytes: a.u32(unix.NFTA_LIMIT_TYPE) == unix.NFT_LIMIT_PKT_BYTES,
	}}
}

func decodeObjref(a attrs) op {
	name := a.text(unix.NFTA_OBJREF_IMM_NAME)
	if !a.only(unix.NFTA_OBJREF_IMM_TYPE, unix.NFTA_OBJREF_IMM_NAME) || !safeName.MatchString(name) {
		return op{}
	}
	return op{kind: opObject, key: a.u32(unix.NFTA_OBJREF_IMM_TYPE), set: name}
}

// decodeDynset reads an update of a set that keeps one account of each element.
func decodeDynset(a attrs) op {
	name := a.text(unix.NFTA_DYNSET_SET_NAME)
	inner, known := a.by[unix.NFTA_DYNSET_EXPR], a.u32(unix.NFTA_DYNSET_OP) == unix.NFT_DYNSET_OP_UPDATE
	known = known && a.u32(unix.NFTA_DYNSET_SREG_KEY) == reg && a.by[unix.NFTA_DYNSET_SREG_DATA] == nil && a.u64(unix.NFTA_DYNSET_TIMEOUT) == 0
	if !known || inner == nil || !safeName.MatchString(name) {
		return op{}
	}
	o := op{kind: opUpdate, set: name}
	account := splitAttrs(inner)
	data := splitAttrs(account.by[unix.NFTA_EXPR_DATA])
	switch account.text(unix.NFTA_EXPR_NAME) {
	case "counter":
	case "limit":
		l := decodeLimit(data)
		if l.kind != opLimit || !l.invert {
			return op{}
		}
		o.limit = l.limit
	case "quota":
		if data.u32(unix.NFTA_QUOTA_FLAGS)&unix.NFT_QUOTA_F_INV == 0 {
			return op{}
		}
		o.bytes = data.u64(unix.NFTA_QUOTA_BYTES)
	default:
		return op{}
	}
	return o
}

// Where the code point stands in the headers (RFC 791 section 3.1 as changed by
// RFC 2474, RFC 8200 section 3), for comparing it.
const (
	dscpByte4, dscpMask4 = 1, 0xfc
	dscpMask6            = 0x0fc0
)

func encodeMatchDSCP(m artifact.Match) ([]expr.Any, error) {
	if m.Value > 63 {
		return nil, fmt.Errorf("dscp %d is not in 0..63", m.Value)
	}
	op := expr.CmpOpEq
	if m.Not {
		op = expr.CmpOpNeq
	}
	offset, mask, value := uint32(dscpByte4), []byte{dscpMask4}, []byte{byte(m.Value << dscpShift4)}
	if m.Kind == artifact.MatchDSCP6 {
		offset, mask, value = 0, binaryutil.BigEndian.PutUint16(dscpMask6), binaryutil.BigEndian.PutUint16(uint16(m.Value)<<dscpShift6)
	}
	length := uint32(len(mask))
	return []expr.Any{
		&expr.Payload{DestRegister: reg, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: length},
		&expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: length, Mask: mask, Xor: make([]byte, length)},
		&expr.Cmp{Op: op, Register: reg, Data: value},
	}, nil
}

func takeMatchDSCP(ops []op) (artifact.Match, int) {
	load, mask, cmp := ops[0], ops[1], ops[2]
	not, ok := equality(cmp)
	if !ok || !isZero(mask.xor) || len(mask.mask) != len(cmp.data) {
		return artifact.Match{}, 0
	}
	switch {
	case load.offset == dscpByte4 && load.length == 1 && len(cmp.data) == 1 && mask.mask[0] == dscpMask4:
		return artifact.Match{Kind: artifact.MatchDSCP4, Not: not, Value: uint32(cmp.data[0] >> dscpShift4)}, 3
	case load.offset == 0 && load.length == 2 && len(cmp.data) == 2 && binary.BigEndian.Uint16(mask.mask) == dscpMask6:
		return artifact.Match{Kind: artifact.MatchDSCP6, Not: not, Value: uint32(binary.BigEndian.Uint16(cmp.data) >> dscpShift6)}, 3
	}
	return artifact.Match{}, 0
}
