package opt

import (
	"net/netip"
	"slices"

	"github.com/netpol/netpol/compiler/ir"
)

// Bounds of how many rules a packet may try where ranges overlap. Look-ups part
// a field's values into classes; of boxes that lie in each other by the hundred
// there is a class for nearly each, and they stay rules in a row, at about 15 ns
// a rule for a new connection.
const (
	maxDepth   = 256 // conjunctions that hold of one packet, from where on a set is deep
	maxDeep    = 512 // conjunctions of several fields that a deep set gives to the kernel
	maxSamples = 64
	maxHeld    = 1 << 13 // conjunctions that a sample is held against
)

// several says that a conjunction is of more than one field: what is of one is
// decided by its look-up alone.
func several(c ir.Conjunction) bool {
	return slices.ContainsFunc(c, func(l ir.Literal) bool { return l.Test.Attr.Name != c[0].Test.Attr.Name })
}

// deep says that many of the conjunctions hold of one packet. It looks at some of
// them, evenly taken, each at its lowest corner.
func deep(all [][]ir.Conjunction) bool {
	var list []ir.Conjunction
	for _, any := range all {
		for _, c := range any {
			if several(c) {
				list = append(list, c)
			}
		}
	}
	if len(list) <= maxDepth {
		return false
	}
	stride := len(list)/maxHeld + 1
	for i := range maxSamples {
		at := cornerOf(list[i*len(list)/maxSamples])
		count := 0
		for j := 0; j < len(list); j += stride {
			if at.in(list[j]) {
				count++
			}
		}
		if count*stride > maxDepth {
			return true
		}
	}
	return false
}

// corner is a value of each attribute that a conjunction wants to be one of some.
type corner []struct {
	name    string
	number  int
	address netip.Addr
	text    string
}

func cornerOf(c ir.Conjunction) corner {
	out := make(corner, 0, len(c))
	for _, l := range c {
		if l.Not {
			continue
		}
		v := corner{{name: l.Test.Attr.Name}}
		switch {
		case len(l.Test.Ranges) > 0:
			v[0].number = l.Test.Ranges[0].Low
		case len(l.Test.Prefixes) > 0:
			v[0].address = l.Test.Prefixes[0].Addr()
		case len(l.Test.Strings) > 0:
			v[0].text = l.Test.Strings[0]
		}
		out = append(out, v...)
	}
	return out
}

// in says that the conjunction holds there, and asks of no other attribute.
func (at corner) in(c ir.Conjunction) bool {
	for _, l := range c {
		known := false
		for _, v := range at {
			if v.name != l.Test.Attr.Name {
				continue
			}
			known = true
			if holds(l.Test, v.number, v.address, v.text) == l.Not {
				return false
			}
		}
		if !known && !l.Not {
			return false
		}
	}
	return true
}

// holds looks at the first values of a long list only: it is an estimate.
func holds(c *ir.Compare, number int, address netip.Addr, text string) bool {
	switch c.Op {
	case ir.OpRange:
		return slices.ContainsFunc(c.Ranges[:min(len(c.Ranges), longList)], func(r ir.Interval) bool { return r.Low <= number && number <= r.High })
	case ir.OpPrefix:
		return slices.ContainsFunc(c.Prefixes[:min(len(c.Prefixes), longList)], func(p netip.Prefix) bool { return p.Contains(address) })
	default:
		return slices.Contains(c.Strings, text)
	}
}
