package nft

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// keyTypes are nft's own numbers of the types of sets (enum datatypes of
// nftables' datatype.h): the kernel only keeps them.
func keyTypes() map[artifact.SetType]uint32 {
	return map[artifact.SetType]uint32{
		artifact.SetAddr4: 7, artifact.SetAddr6: 8, artifact.SetProto: 12, artifact.SetService: 13, artifact.SetDevice: 41,
		artifact.SetTime: 43, artifact.SetFamily: 2, artifact.SetFlow: 4,
	}
}

// maxElements bounds the elements in one message: the length of a netlink
// attribute is 16 bits, and an IPv6 range takes 72 bytes of it. In a map there
// is the name of a chain besides, of up to 255 bytes.
const (
	maxElements    = 400
	maxMapElements = 160
)

// set adds a set and its elements.
func (b *batch) set(family uint8, table string, s artifact.Set) error {
	key, ok := keyTypes()[s.Type]
	switch {
	case !ok:
		return fmt.Errorf("unknown type %q", s.Type)
	case !safeName.MatchString(s.Name) || len(s.Name) >= unix.NFT_NAME_MAXLEN:
		return fmt.Errorf("bad name")
	}
	if err := checkElements(s); err != nil {
		return err
	}
	flags := setFlags(s)
	id := uint32(len(b.what)) // unique within the transaction
	b.add("add set "+s.Name, unix.NFT_MSG_NEWSET, nfnl.FlagCreate, family, func(buf []byte) []byte {
		buf = nfnl.String(buf, unix.NFTA_SET_TABLE, table)
		buf = nfnl.String(buf, unix.NFTA_SET_NAME, s.Name)
		buf = nfnl.Uint32(buf, unix.NFTA_SET_FLAGS, flags)
		buf = nfnl.Uint32(buf, unix.NFTA_SET_KEY_TYPE, key)
		buf = nfnl.Uint32(buf, unix.NFTA_SET_KEY_LEN, uint32(s.Type.Width()))
		if s.Map {
			buf = nfnl.Uint32(buf, unix.NFTA_SET_DATA_TYPE, unix.NFT_DATA_VERDICT)
		}
		buf = nfnl.Uint32(buf, unix.NFTA_SET_ID, id)
		if lives := max(s.Heartbeat, s.Lives); lives > 0 {
			buf = nfnl.Uint64(buf, unix.NFTA_SET_TIMEOUT, uint64(lives.Milliseconds()))
		}
		if s.Dynamic() {
			var desc int
			buf, desc = nfnl.Nest(buf, unix.NFTA_SET_DESC)
			buf = nfnl.Unnest(nfnl.Uint32(buf, unix.NFTA_SET_DESC_SIZE, artifact.DynamicSize), desc)
		}
		switch s.Type {
		case artifact.SetDevice:
			buf = nfnl.Bytes(buf, unix.NFTA_SET_USERDATA, hostOrder())
		case artifact.SetTime:
			buf = nfnl.Bytes(buf, unix.NFTA_SET_USERDATA, metaTimeKey())
		case artifact.SetFlow:
			buf = nfnl.Bytes(buf, unix.NFTA_SET_USERDATA, flowKey())
		case artifact.SetAddr4, artifact.SetAddr6, artifact.SetProto, artifact.SetService, artifact.SetFamily:
		}
		return buf
	})
	for part := range slices.Chunk(s.Elements, elementsPerMessage(s)) {
		b.elements(family, table, s, id, part)
	}
	return nil
}

func elementsPerMessage(s artifact.Set) int {
	if s.Map {
		return maxMapElements
	}
	return maxElements
}

func setFlags(s artifact.Set) (flags uint32) {
	if s.Interval() {
		flags |= unix.NFT_SET_INTERVAL
	}
	if s.Dynamic() {
		flags |= unix.NFT_SET_EVAL
	}
	if s.Lives > 0 {
		flags |= unix.NFT_SET_TIMEOUT
	}
	if s.Map {
		flags |= unix.NFT_SET_MAP
	}
	if s.Heartbeat > 0 {
		flags |= unix.NFT_SET_TIMEOUT
	}
	return flags
}

// hostOrder is nft's note that a set's keys are in the host's byte order
// (libnftnl udata.h: NFTNL_UDATA_SET_KEYBYTEORDER 0; nftables datatype.h:
// BYTEORDER_HOST_ENDIAN 1). Without it "nft list" shows names as empty.
func hostOrder() []byte { return note(0, word(1)) }

// metaTimeKey is nft's note that a set was declared "typeof meta time"
// (NFTNL_UDATA_SET_KEY_TYPEOF 3 of libnftnl's udata.h, in it the kind of
// expression, EXPR_META 9, and what nftables' meta.c says of it, the key). Its
// name for the type alone, "time", is a duration's as well.
func metaTimeKey() []byte {
	return append(hostOrder(), note(3, append(note(0, word(9)), note(1, note(0, word(metaTime)))...))...)
}

// flowKey is the same for "typeof ct id" (EXPR_CT 12; of both directions).
func flowKey() []byte {
	what := append(note(0, word(ctID)), note(1, word(math.MaxUint32))...)
	return append(note(0, word(2)), note(3, append(note(0, word(12)), note(1, what)...))...)
}

// note is one piece of nft's user data: type, length, value.
func note(typ byte, value []byte) []byte { return append([]byte{typ, byte(len(value))}, value...) }

func word(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }

// checkElements refuses elements of another width: the kernel would take a
// short key for another one.
func checkElements(s artifact.Set) error {
	for _, e := range s.Elements {
		if len(e.Low) != s.Type.Width() || len(e.High) != s.Type.Width() || bytes.Compare(e.Low, e.High) > 0 {
			return fmt.Errorf("bad element %x-%x", e.Low, e.High)
		}
		if name := string(bytes.TrimRight(e.Low, "\x00")); s.Type == artifact.SetDevice && !safeName.MatchString(name) {
			return fmt.Errorf("bad interface name %q", name)
		}
		if s.Map != (e.Jump != "") || s.Map && (!safeName.MatchString(e.Jump) || len(e.Jump) >= unix.NFT_NAME_MAXLEN) {
			return fmt.Errorf("bad chain %q of an element", e.Jump)
		}
	}
	return nil
}

// elements adds some elements of a set. A range is two: where it begins, and
// the first value after it with a flag; a range up to the last value has no end.
func (b *batch) elements(family uint8, table string, s artifact.Set, id uint32, list []artifact.Element) {
	b.add("add elements of set "+s.Name, unix.NFT_MSG_NEWSETELEM, nfnl.FlagCreate, family, func(buf []byte) []byte {
		buf = nfnl.String(buf, unix.NFTA_SET_ELEM_LIST_TABLE, table)
		buf = nfnl.String(buf, unix.NFTA_SET_ELEM_LIST_SET, s.Name)
		buf = nfnl.Uint32(buf, unix.NFTA_SET_ELEM_LIST_SET_ID, id)
		buf, nest := nfnl.Nest(buf, unix.NFTA_SET_ELEM_LIST_ELEMENTS)
		for _, e := range list {
			buf = element(buf, e.Low, 0, e.Jump)
			if !s.Interval() {
				continue
			}
			if end, ok := after(e.High); ok {
				buf = element(buf, end, unix.NFT_SET_ELEM_INTERVAL_END, "")
			}
		}
		return nfnl.Unnest(buf, nest)
	})
}

func element(buf, key []byte, flags uint32, jump string) []byte {
	buf, elem := nfnl.Nest(buf, unix.NFTA_LIST_ELEM)
	if flags != 0 {
		buf = nfnl.Uint32(buf, unix.NFTA_SET_ELEM_FLAGS, flags)
	}
	buf, nest := nfnl.Nest(buf, unix.NFTA_SET_ELEM_KEY)
	buf = nfnl.Unnest(nfnl.Bytes(buf, unix.NFTA_DATA_VALUE, key), nest)
	if jump != "" {
		buf = jumpData(buf, jump)
	}
	return nfnl.Unnest(buf, elem)
}

// after is the number after b, and false after the highest.
func after(b []byte) ([]byte, bool) {
	out := slices.Clone(b)
	for i := len(out) - 1; i >= 0; i-- {
		if out[i]++; out[i] != 0 {
			return out, true
		}
	}
	return nil, false
}

// before is the number before b, which is not the lowest.
func before(b []byte) []byte {
	out := slices.Clone(b)
	for i := len(out) - 1; i >= 0; i-- {
		if out[i]--; out[i] != 0xff {
			break
		}
	}
	return out
}

// decodeSet is a live set of a kind that we make; false for any other.
func decodeSet(a attrs) (artifact.Set, bool) {
	s := artifact.Set{Name: a.text(unix.NFTA_SET_NAME)}
	for t, key := range keyTypes() {
		if key == a.u32(unix.NFTA_SET_KEY_TYPE) {
			s.Type = t
		}
	}
	lives := time.Duration(a.u64(unix.NFTA_SET_TIMEOUT)) * time.Millisecond
	plain := true
	switch {
	case a.u32(unix.NFTA_SET_FLAGS)&unix.NFT_SET_EVAL != 0:
		// What is kept of elements is the rules' to say; any will do here.
		s.Accounts, s.Lives = artifact.AccountCounts, lives
		desc := splitAttrs(a.by[unix.NFTA_SET_DESC])
		plain = desc.u32(unix.NFTA_SET_DESC_SIZE) == artifact.DynamicSize
	default:
		s.Heartbeat = lives
		plain = (lives > 0) == (s.Type == artifact.SetFamily)
	}
	if a.by[unix.NFTA_SET_DATA_TYPE] != nil {
		s.Map, plain = true, plain && a.u32(unix.NFTA_SET_DATA_TYPE) == unix.NFT_DATA_VERDICT
	}
	return s, plain && s.Type != "" && a.u32(unix.NFTA_SET_FLAGS) == setFlags(s) && safeName.MatchString(s.Name)
}

// bound is an end of a range, as the kernel lists it.
type bound struct {
	key  []byte
	end  bool
	jump string
}

// decodeBounds reads a message of elements; false if one does more than be
// there: it has a timeout, or a counter. User data is nft's own notes.
func decodeBounds(a attrs) ([]bound, bool) {
	var out []bound
	plain := true
	for elem, rest, ok := nfnl.NextAttr(a.by[unix.NFTA_SET_ELEM_LIST_ELEMENTS]); ok; elem, rest, ok = nfnl.NextAttr(rest) {
		e := splitAttrs(elem.Data)
		flags := e.u32(unix.NFTA_SET_ELEM_FLAGS)
		jump, ok := decodeJumpData(e.by[unix.NFTA_SET_ELEM_DATA])
		out = append(out, bound{
			key: slices.Clone(value(e.by[unix.NFTA_SET_ELEM_KEY])), end: flags&unix.NFT_SET_ELEM_INTERVAL_END != 0, jump: jump,
		})
		plain = plain && ok && flags&^unix.NFT_SET_ELEM_INTERVAL_END == 0 &&
			e.only(unix.NFTA_SET_ELEM_FLAGS, unix.NFTA_SET_ELEM_KEY, unix.NFTA_SET_ELEM_USERDATA, unix.NFTA_SET_ELEM_DATA)
	}
	return out, plain
}

// elementsOf pairs beginnings with ends. nft closes what lies before the first
// range with an end of its own, which says nothing.
func elementsOf(t artifact.SetType, bounds []bound) []artifact.Element {
	slices.SortFunc(bounds, func(a, b bound) int {
		if c := bytes.Compare(a.key, b.key); c != 0 || a.end == b.end {
			return c
		}
		if a.end {
			return -1
		}
		return 1
	})
	var out []artifact.Element
	for i, b := range bounds {
		switch {
		case b.end:
		case !t.Interval():
			out = append(out, artifact.Element{Low: b.key, High: b.key, Jump: b.jump})
		case i+1 < len(bounds):
			out = append(out, artifact.Element{Low: b.key, High: before(bounds[i+1].key), Jump: b.jump})
		default:
			out = append(out, artifact.Element{Low: b.key, High: bytes.Repeat([]byte{0xff}, len(b.key)), Jump: b.jump})
		}
	}
	return out
}
