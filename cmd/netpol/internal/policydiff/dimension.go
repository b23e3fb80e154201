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
	used bool                          // with all quotas used up
}

// dimensions are those in which some policy that has changed has a wish.
func (c *comparison) dimensions() []dimension {
	var out []dimension
	var labels, own []string
	var mask uint32
	has := map[string]bool{}
	for _, s := range []*side{c.before, c.after} {
		for i := range s.resolved.Policies {
			p := &s.resolved.Policies[i]
			if !c.suspects[p.Name] {
				continue
			}
			labels, own = append(labels, p.Labels...), append(own, p.Own()...)
			for _, d := range firstDimensions {
				_, wishes := d.wish(p)
				has[d.name] = has[d.name] || wishes
			}
			if p.Mark != nil {
				mask |= p.Mark.Mask
			}
		}
	}
	slices.Sort(labels)
	for _, l := range slices.Compact(labels) {
		out = append(out, labelDimension(l))
	}
	for _, d := range firstDimensions {
		if has[d.name] {
			out = append(out, d)
		}
	}
	for ; mask != 0; mask &= mask - 1 {
		out = append(out, markDimension(bits.TrailingZeros32(mask)))
	}
	out = c.byQuota(out)
	slices.Sort(own)
	for _, text := range slices.Compact(own) {
		out = append(out, ownDimension(text))
	}
	return out
}

// byQuota has the policies with a quota wish nothing, as before it is used up, and
// compares a second time with all quotas used up where there are any. No flow shows
// that: the simulation knows one connection only.
func (c *comparison) byQuota(list []dimension) []dimension {
	var out []dimension
	for _, d := range list {
		unused := d
		unused.wish = func(p *ir.Policy) (string, bool) {
			if p.Quota != nil {
				return "", false
			}
			return d.wish(p)
		}
		out = append(out, unused)
	}
	if !c.quotas() {
		return out
	}
	for _, d := range list {
		d.name, d.used = d.name+" once quotas are used up", true
		out = append(out, d)
	}
	return out
}

// quotas says that a policy of either side has one.
func (c *comparison) quotas() bool {
	has := func(p ir.Policy) bool { return p.Quota != nil }
	return slices.ContainsFunc(c.before.resolved.Policies, has) || slices.ContainsFunc(c.after.resolved.Policies, has)
}

// ownChanged says that what is said of the policy's own effects differs, or comes or
// goes, which shows the change of one that waits for a quota.
func (c *comparison) ownChanged(name string) bool {
	own := func(s *side) []string {
		at := slices.IndexFunc(s.resolved.Policies, func(p ir.Policy) bool { return p.Name == name && p.Quota != nil })
		if at < 0 {
			return nil
		}
		return s.resolved.Policies[at].Own()
	}
	return !slices.Equal(own(c.before), own(c.after))
}

// firstDimensions are those with one value, which the first policy decides.
var firstDimensions = []dimension{
	{name: "dscp", wish: func(p *ir.Policy) (string, bool) {
		if p.DSCP == nil {
			return "", false
		}
		return outcome.DSCPName(p.DSCP.Value), true
	}, of: func(o *outcome.Outcome) string { return o.DSCP }},
	{name: "verdict", wish: func(p *ir.Policy) (string, bool) {
		return p.Verdict.String(), p.Verdict != ir.NoVerdict
	}, of: func(o *outcome.Outcome) string { return o.Verdict }},
	{name: "priority", wish: func(p *ir.Policy) (string, bool) {
		if p.Priority == nil {
			return "", false
		}
		return p.Priority.Text, true
	}, of: func(o *outcome.Outcome) string { return o.Priority }},
	{name: "route", wish: func(p *ir.Policy) (string, bool) {
		if p.Route == nil {
			return "", false
		}
		return routeText(p.Route.Table), true
	}, of: func(o *outcome.Outcome) string { return routeText(o.Route) }},
}

// routeText is the number of a routing table; empty for none.
func routeText(table uint32) string {
	if table == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(table), 10)
}

// ownDimension is an effect that comes whatever other policies match, in words.
func ownDimension(text string) dimension {
	const set = "set"
	return dimension{
		name: text,
		wish: func(p *ir.Policy) (string, bool) { return set, slices.Contains(p.Own(), text) },
		of: func(o *outcome.Outcome) string {
			if slices.Contains(o.Also, text) {
				return set
			}
			return ""
		},
	}
}

func labelDimension(label string) dimension {
	const set = "set"
	return dimension{
		name: "label " + label,
		wish: func(p *ir.Policy) (string, bool) { return set, slices.Contains(p.Labels, label) },
		of: func(o *outcome.Outcome) string {
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
		name: fmt.Sprintf("bit %d of the mark", bit),
		wish: func(p *ir.Policy) (string, bool) {
			if p.Mark == nil || p.Mark.Mask>>bit&1 == 0 {
				return "", false
			}
			return value(p.Mark.Value, p.Mark.Mask), true
		},
		of: func(o *outcome.Outcome) string { return value(o.Mark, o.MarkMask) },
	}
}
