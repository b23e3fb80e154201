package nft

import (
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

// box is a conjunction of tests of fields: what each may be. The width of the
// address fields is that of the family; a box that tests addresses has a
// family. Boxes of one pool are equal when they compare equal; the zero box
// holds of everything.
type box struct {
	version uint8 // 4, 6, or 0 for both
	field   [fields]rid
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

// narrow leaves of a field only what r has; false if that is nothing.
func (p *pool) narrow(b *box, f field, r rid) bool {
	b.field[f] = p.and(b.field[f], r)
	return b.field[f] != nothing
}

// covers says that all of o is in b.
func (p *pool) covers(b, o box) bool {
	if b.version != 0 && b.version != o.version {
		return false
	}
	for f := range fields {
		if b.field[f] != anything && p.and(b.field[f], o.field[f]) != o.field[f] {
			return false
		}
	}
	return true
}

// merge joins boxes of which any may hold: those that differ in one field
// alone become one. A box without tests takes all.
func (p *pool) merge(list []box) []box {
	for f := range fields {
		var out []box
		var parts [][]rid
		at := map[box]int{}
		for _, b := range list {
			rest := b
			rest.field[f] = anything
			i, ok := at[rest]
			if !ok {
				i = len(out)
				at[rest] = i
				out, parts = append(out, rest), append(parts, nil)
			}
			parts[i] = append(parts[i], b.field[f])
		}
		for i := range out {
			out[i].field[f] = p.or(parts[i])
		}
		list = out
	}
	for _, b := range list {
		if b == (box{}) {
			return []box{b}
		}
	}
	return list
}
