package nftset

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// Constants of linux/netfilter/nf_tables.h that x/sys lacks.
const (
	setConcat     = 0x80 // NFT_SET_CONCAT
	setDescConcat = 2    // NFTA_SET_DESC_CONCAT
	setFieldLen   = 1    // NFTA_SET_FIELD_LEN
	maxKeyBytes   = 64   // NFT_DATA_VALUE_MAXLEN
)

// Create makes a set, and its table if it is SetTable; other tables must be
// there. It fails when a set of that name is there.
func Create(s *artifact.FlowSet) error {
	if n := keyWidth(s); n == 0 || n > maxKeyBytes {
		return fmt.Errorf("create %s: elements of %d bytes: %w", s.ID(), n, errBadSet)
	}
	t := begin(families()[s.Family], s.Table)
	if s.Table == artifact.SetTable {
		t.newTable()
	}
	t.newSet(s)
	if err := t.send(); err != nil {
		if errors.Is(err, ErrNoSet) {
			return fmt.Errorf("create %s: there is no table %s %s", s.ID(), s.Family, s.Table)
		}
		return fmt.Errorf("create %s: %w", s.ID(), err)
	}
	return nil
}

// Remove takes a set away; rules that use it keep it (EBUSY). One that is not
// there is no error. An empty SetTable goes with its last set.
func Remove(s *artifact.FlowSet) error {
	t := begin(families()[s.Family], s.Table)
	t.named(unix.NFT_MSG_DELSET, s.Name)
	if err := t.send(); err != nil && !errors.Is(err, ErrNoSet) {
		if errors.Is(err, unix.EBUSY) {
			return fmt.Errorf("remove %s: rules use it: %w", s.ID(), err)
		}
		return fmt.Errorf("remove %s: %w", s.ID(), err)
	}
	return nil
}

// Flush takes all elements out of a set.
func Flush(s *artifact.FlowSet) error {
	t := begin(families()[s.Family], s.Table)
	t.elements(unix.NFT_MSG_DELSETELEM, artifact.Set{Name: s.Name}, nil)
	if err := t.send(); err != nil && !errors.Is(err, ErrNoSet) {
		return fmt.Errorf("flush %s: %w", s.ID(), err)
	}
	return nil
}

// newTable makes the transaction's table if it is not there.
func (t *transaction) newTable() {
	b, start := nfnl.Begin(t.buf, subsystem|unix.NFT_MSG_NEWTABLE, nfnl.FlagRequest|nfnl.FlagCreate, t.seq, t.family, 0)
	b = nfnl.String(b, unix.NFTA_TABLE_NAME, t.table)
	t.buf, t.last, t.seq = nfnl.End(b, start), start, t.seq+1
}

// named is a message about a set by name alone.
func (t *transaction) named(msg uint16, name string) {
	b, start := nfnl.Begin(t.buf, subsystem|msg, nfnl.FlagRequest, t.seq, t.family, 0)
	b = nfnl.String(b, unix.NFTA_SET_TABLE, t.table)
	b = nfnl.String(b, unix.NFTA_SET_NAME, name)
	t.buf, t.last, t.seq = nfnl.End(b, start), start, t.seq+1
}

// flagExclusive is NLM_F_EXCL: the set must not be there.
const flagExclusive = 0x200

// newSet makes a set.
func (t *transaction) newSet(s *artifact.FlowSet) {
	b, start := nfnl.Begin(t.buf, subsystem|unix.NFT_MSG_NEWSET, nfnl.FlagRequest|nfnl.FlagCreate|flagExclusive, t.seq, t.family, 0)
	b = nfnl.String(b, unix.NFTA_SET_TABLE, s.Table)
	b = nfnl.String(b, unix.NFTA_SET_NAME, s.Name)
	var flags uint32
	if s.Timeout > 0 {
		flags |= unix.NFT_SET_TIMEOUT
	}
	if len(s.Fields) > 1 {
		flags |= setConcat
	}
	b = nfnl.Uint32(b, unix.NFTA_SET_FLAGS, flags)
	b = nfnl.Uint32(b, unix.NFTA_SET_KEY_TYPE, keyType(s))
	b = nfnl.Uint32(b, unix.NFTA_SET_KEY_LEN, uint32(keyWidth(s)))
	b = nfnl.Uint32(b, unix.NFTA_SET_ID, 1)
	if s.Timeout > 0 {
		b = nfnl.Uint64(b, unix.NFTA_SET_TIMEOUT, uint64(s.Timeout.Milliseconds()))
	}
	b, desc := nfnl.Nest(b, unix.NFTA_SET_DESC)
	b = nfnl.Uint32(b, unix.NFTA_SET_DESC_SIZE, s.Size)
	if len(s.Fields) > 1 {
		var concat int
		b, concat = nfnl.Nest(b, setDescConcat)
		for _, f := range s.Fields {
			var field int
			b, field = nfnl.Nest(b, unix.NFTA_LIST_ELEM)
			b = nfnl.Unnest(nfnl.Uint32(b, setFieldLen, uint32(fieldWidth(f, s.Version))), field)
		}
		b = nfnl.Unnest(b, concat)
	}
	b = nfnl.Unnest(b, desc)
	b = nfnl.Bytes(b, unix.NFTA_SET_USERDATA, byteOrder(s))
	t.buf, t.last, t.seq = nfnl.End(b, start), start, t.seq+1
}

// byteOrder tells nft how to read elements: a type, a length and a number, as
// libnftnl has them (NFTNL_UDATA_SET_KEYBYTEORDER). Marks and names of
// interfaces are the host's.
func byteOrder(s *artifact.FlowSet) []byte {
	const host, big = 1, 2 // enum byteorder of nft's datatype.h
	order := uint32(big)
	if len(s.Fields) == 1 && (s.Fields[0] == artifact.FieldMark || s.Fields[0] == artifact.FieldInterface) {
		order = host
	}
	return binary.NativeEndian.AppendUint32([]byte{0, 4}, order)
}

// typeBits is how far nft shifts the types of a concatenation (TYPE_BITS of its
// datatype.h).
const typeBits = 6

// keyType is nft's number for the type of a set's elements. The kernel only
// keeps it; nft reads it to list them.
func keyType(s *artifact.FlowSet) uint32 {
	var out uint32
	for _, f := range s.Fields {
		out = out<<typeBits | fieldType(f, s.Version)
	}
	return out
}

// fieldType is nft's number of a type (enum datatypes of its datatype.h).
func fieldType(f artifact.FlowField, version uint8) uint32 {
	switch f {
	case artifact.FieldLocalAddr, artifact.FieldOtherAddr:
		if version == 6 {
			return 8
		}
		return 7
	case artifact.FieldLocalMAC, artifact.FieldOtherMAC:
		return 9
	case artifact.FieldProto:
		return 12
	case artifact.FieldLocalPort, artifact.FieldOtherPort:
		return 13
	case artifact.FieldMark:
		return 19
	case artifact.FieldInterface:
		return 41
	}
	return 0
}
