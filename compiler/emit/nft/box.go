package nft

import (
	"encoding/binary"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
)

// field is a part of a packet that a kernel-decided policy may ask for.
type field uint8

// Fields, in the order that a rule tests them.
const (
	fieldProto field = iota
	fieldSrc
	fieldDst
	fieldSport
	fieldDport
	fieldDevice
	fields
)

// box is a conjunction of tests of fields: what each may be, nil is anything.
// The width of the address fields is that of the family; a box that tests
// addresses has a family.
type box struct {
	version uint8 // 4, 6, or 0 for both
	field   [fields]region
}

func width(f field, version uint8) int {
	switch f {
	case fieldProto:
		return artifact.SetProto.Width()
	case fieldSrc, fieldDst:
		if version == 4 {
			return artifact.SetAddr4.Width()
		}
		return artifact.SetAddr6.Width()
	case fieldSport, fieldDport:
		return artifact.SetService.Width()
	case fieldDevice, fields:
	}
	return artifact.SetDevice.Width()
}

// and leaves of a field only what r has; false if that is nothing.
func (b *box) and(f field, r region) bool {
	if b.field[f] != nil {
		r = b.field[f].intersect(r)
	}
	b.field[f] = r
	return len(r) > 0
}

// tidy forgets tests that everything passes.
func (b *box) tidy() {
	for f := range b.field {
		if b.field[f].isAll() {
			b.field[f] = nil
		}
	}
}

// covers says that all of o is in b.
func (b *box) covers(o *box) bool {
	if b.version != 0 && b.version != o.version {
		return false
	}
	for f := range fields {
		if r := b.field[f]; r != nil && (o.field[f] == nil || r.intersect(o.field[f]).key() != o.field[f].key()) {
			return false
		}
	}
	return true
}

func (b *box) isAll() bool { return b.key() == (&box{}).key() }

// key is equal for equal boxes.
func (b *box) key() string {
	out := []byte{b.version}
	for _, r := range b.field {
		k := r.key()
		out = binary.BigEndian.AppendUint32(out, uint32(len(k)))
		out = append(out, k...)
	}
	return string(out)
}

// merge joins boxes of which any may hold: those that differ in one field
// alone become one. A box without tests takes all.
func merge(list []box) []box {
	for f := range fields {
		var out []box
		at := map[string]int{}
		for _, b := range list {
			rest := b
			rest.field[f] = nil
			key := rest.key()
			i, ok := at[key]
			switch {
			case !ok:
				at[key] = len(out)
				b.field[f] = slices.Clone(b.field[f])
				out = append(out, b)
			case out[i].field[f] == nil:
			case b.field[f] == nil:
				out[i].field[f] = nil
			default: // sorted once, below
				out[i].field[f] = append(out[i].field[f], b.field[f]...)
			}
		}
		for i := range out {
			out[i].field[f] = union(out[i].field[f])
			out[i].tidy()
		}
		list = out
	}
	for i := range list {
		if list[i].isAll() {
			return list[i : i+1]
		}
	}
	return list
}
