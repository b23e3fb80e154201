package nft

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// keyTypes are nft's own numbers of the types of sets (enum datatypes of
// nftables' datatype.h): the kernel only keeps them.
func keyTypes() map[artifact.SetType]uint32 {
	return map[artifact.SetType]uint32{
		artifact.SetAddr4: 7, artifact.SetAddr6: 8, artifact.SetProto: 12, artifact.SetService: 13, artifact.SetDevice: 41,
	}
}

// maxElements bounds the elements in one message: the length of a netlink
// attribute is 16 bits, and an IPv6 range takes 72 bytes of it.
const maxElements = 400

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
	var flags uint32
	if s.Type.Interval() {
		flags = unix.NFT_SET_INTERVAL
	}
	id := uint32(len(b.what)) // unique within the transaction
	b.add("add set "+s.Name, unix.NFT_MSG_NEWSET, nfnl.FlagCreate, family, func(buf []byte) []byte {
		buf = nfnl.String(buf, unix.NFTA_SET_TABLE, table)
		buf = nfnl.String(buf, unix.NFTA_SET_NAME, s.Name)
		buf = nfnl.Uint32(buf, unix.NFTA_SET_FLAGS, flags)
		buf = nfnl.Uint32(buf, unix.NFTA_SET_KEY_TYPE, key)
		buf = nfnl.Uint32(buf, unix.NFTA_SET_KEY_LEN, uint32(s.Type.Width()))
		buf = nfnl.Uint32(buf, unix.NFTA_SET_ID, id)
		if s.Type == artifact.SetDevice {
			buf = nfnl.Bytes(buf, unix.NFTA_SET_USERDATA, hostOrder())
		}
		return buf
	})
	for part := range slices.Chunk(s.Elements, maxElements) {
		b.elements(family, table, s, id, part)
	}
	return nil
}

// hostOrder is nft's note that a set's keys are in the host's byte order
// (libnftnl udata.h: NFTNL_UDATA_SET_KEYBYTEORDER 0; nftables datatype.h:
// BYTEORDER_HOST_ENDIAN 1). Without it "nft list" shows names as empty.
func hostOrder() []byte { return binary.NativeEndian.AppendUint32([]byte{0, 4}, 1) }

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
			buf = element(buf, e.Low, 0)
			if !s.Type.Interval() {
				continue
			}
			if end, ok := after(e.High); ok {
				buf = element(buf, end, unix.NFT_SET_ELEM_INTERVAL_END)
			}
		}
		return nfnl.Unnest(buf, nest)
	})
}

func element(buf, key []byte, flags uint32) []byte {
	buf, elem := nfnl.Nest(buf, unix.NFTA_LIST_ELEM)
	if flags != 0 {
		buf = nfnl.Uint32(buf, unix.NFTA_SET_ELEM_FLAGS, flags)
	}
	buf, nest := nfnl.Nest(buf, unix.NFTA_SET_ELEM_KEY)
	buf = nfnl.Unnest(nfnl.Bytes(buf, unix.NFTA_DATA_VALUE, key), nest)
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
	var flags uint32
	if s.Type.Interval() {
		flags = unix.NFT_SET_INTERVAL
	}
	plain := a.by[unix.NFTA_SET_DATA_TYPE] == nil && a.by[unix.NFTA_SET_TIMEOUT] == nil
	return s, plain && s.Type != "" && a.u32(unix.NFTA_SET_FLAGS) == flags && safeName.MatchString(s.Name)
}

// bound is an end of a range, as the kernel lists it.
type bound struct {
	key []byte
	end bool
}

// decodeBounds reads a message of elements; false if one does more than be
// there: it has a timeout, or a counter. User data is nft's own notes.
func decodeBounds(a attrs) ([]bound, bool) {
	var out []bound
	plain := true
	for elem, rest, ok := nfnl.NextAttr(a.by[unix.NFTA_SET_ELEM_LIST_ELEMENTS]); ok; elem, rest, ok = nfnl.NextAttr(rest) {
		e := splitAttrs(elem.Data)
		flags := e.u32(unix.NFTA_SET_ELEM_FLAGS)
		out = append(out, bound{key: slices.Clone(value(e.by[unix.NFTA_SET_ELEM_KEY])), end: flags&unix.NFT_SET_ELEM_INTERVAL_END != 0})
		plain = plain && flags&^unix.NFT_SET_ELEM_INTERVAL_END == 0 && e.only(unix.NFTA_SET_ELEM_FLAGS, unix.NFTA_SET_ELEM_KEY, unix.NFTA_SET_ELEM_USERDATA)
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
			out = append(out, artifact.Element{Low: b.key, High: b.key})
		case i+1 < len(bounds):
			out = append(out, artifact.Element{Low: b.key, High: before(bounds[i+1].key)})
		default:
			out = append(out, artifact.Element{Low: b.key, High: bytes.Repeat([]byte{0xff}, len(b.key))})
		}
	}
	return out
}
