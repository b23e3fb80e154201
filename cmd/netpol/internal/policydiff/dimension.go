package policydiff

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"

	"github.com/netpol/netpol/cmd/netpol/internal/outcome"
	"github.com/netpol/netpol/compiler/ir"
)

// dimension is a kind of effect, in which the first policy that holds and has
// a wish decides.
type dimension struct {
	name string
	wish func(*ir.Policy) (value string, ok bool)
	of   func(*outcome.Outcome) string // the value that a flow got; empty for none
}

// dimensions are those in which some policy that has changed has a wish.
func (c *comparison) dimensions() []dimension {
	var out []dimension
	labels, mask := []string{}, uint32(0)
	dscp, verdict := false, false
	for _, s := range []*side{c.before, c.after} {
		for i := range s.resolved.Policies {
			p := &s.resolved.Policies[i]
			if !c.suspects[p.Name] {
				continue
			}
			labels = append(labels, p.Labels...)
			dscp, verdict = dscp || p.DSCP != nil, verdict || p.Verdict != ir.NoVerdict
			if p.Mark != nil {
				mask |= p.Mark.Mask
			}
		}
	}
	slices.Sort(labels)
	for _, l := range slices.Compact(labels) {
		out = append(out, labelDimension(l))
	}
	if dscp {
		out = append(out, dimension{"dscp", func(p *ir.Policy) (string, bool) {
			if p.DSCP == nil {
				return "", false
			}
			return outcome.DSCPName(p.DSCP.Value), true
		}, func(o *outcome.Outcome) string { return o.DSCP }})
	}
	if verdict {
		out = append(out, dimension{"verdict", func(p *ir.Policy) (string, bool) {
			return p.Verdict.String(), p.Verdict != ir.NoVerdict
		}, func(o *outcome.Outcome) string { return o.Verdict }})
	}
	for ; mask != 0; mask &= mask - 1 {
		out = append(out, markDimension(bits.TrailingZeros32(mask)))
	}
	return out
}

func labelDimension(label string) dimension {
	const set = "set"
	return dimension{
		"label " + label,
		func(p *ir.Policy) (string, bool) { return set, slices.Contains(p.Labels, label) },
		func(o *outcome.Outcome) string {
			if slices.Contains(o.Labels, label) {
				return set
			}
			return ""
		},
	}
}

func markDimension(bit int) dimension {
	value := func(mark, mask uint32) string {
		if mask>>bit&1 == 0 {
			return ""
		}
		return strconv.Itoa(int(mark >> bit & 1))
	}
	return dimension{
		fmt.Sprintf("bit %d of the mark", bit),
		func(p *ir.Policy) (string, bool) {
			if p.Mark == nil || p.Mark.Mask>>bit&1 == 0 {
				return "", false
			}
			return value(p.Mark.Value, p.Mark.Mask), true
		},
		func(o *outcome.Outcome) string { return value(o.Mark, o.MarkMask) },
	}
}
