package lint

import (
	"fmt"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
)

// effect is one thing that a policy does. Of policies with an effect of one
// dimension the first that matches decides; labels add up, so each label is a
// dimension of its own, and so is each set that flows are put into. What a policy
// counts or shares out is a dimension that no other policy has, and so is all that
// waits for its quota.
type effect struct {
	dimension string // dscp, verdict, mark, priority, route, "label x", or the text of an ir.Extra
	value     string
	mask      uint32 // of a mark
	bits      uint32
}

// effects is what a policy does; nothing where it only counts and logs.
func effects(p *ir.Policy) []effect {
	if p.Audit {
		return nil
	}
	return writtenEffects(p)
}

// writtenEffects is what a policy would do without audit.
func writtenEffects(p *ir.Policy) []effect {
	if p.Quota != nil {
		text := strings.Join(p.Own(), ", ")
		return []effect{{dimension: text, value: text}}
	}
	var out []effect
	if p.DSCP != nil {
		out = append(out, effect{dimension: "dscp", value: p.DSCP.Name, bits: uint32(p.DSCP.Value)})
	}
	if p.Verdict != ir.NoVerdict {
		out = append(out, effect{dimension: "verdict", value: p.Verdict.String()})
	}
	if p.Mark != nil {
		out = append(out, effect{dimension: "mark", value: fmt.Sprintf("%#x/%#x", p.Mark.Value, p.Mark.Mask), mask: p.Mark.Mask, bits: p.Mark.Value})
	}
	if p.Priority != nil {
		out = append(out, effect{dimension: "priority", value: p.Priority.Text, bits: p.Priority.Value})
	}
	if p.Route != nil {
		out = append(out, effect{dimension: "route", value: fmt.Sprintf("by table %d", p.Route.Table), bits: p.Route.Table})
	}
	for _, l := range p.Labels {
		out = append(out, effect{dimension: "label " + l, value: l})
	}
	for _, e := range p.ExtraList() {
		switch e.Kind {
		case ir.ExtraShared:
			out = append(out, effect{dimension: e.Text, value: e.Text})
		case ir.ExtraOwn:
			out = append(out, effect{dimension: e.Text + ", of " + p.Name, value: e.Text})
		case ir.ExtraManner, ir.ExtraFirst, ir.ExtraQuota:
		}
	}
	return out
}

// decides says that where both policies match, this effect of an earlier one
// leaves nothing for the other to decide.
func (e effect) decides(other effect) bool {
	return e.dimension == other.dimension && other.mask&^e.mask == 0
}

// conflicts says that both cannot be had. Drop and reject are one thing here:
// both keep the traffic out.
func (e effect) conflicts(other effect) bool {
	if e.dimension != other.dimension {
		return false
	}
	switch e.dimension {
	case "dscp", "priority", "route":
		return e.bits != other.bits
	case "verdict":
		return blocks(e.value) != blocks(other.value)
	case "mark":
		common := e.mask & other.mask
		return e.bits&common != other.bits&common
	}
	return false
}

// differs says that the value is another, which for verdicts is finer than
// conflicts.
func (e effect) differs(other effect) bool {
	return e.conflicts(other) || e.dimension == "verdict" && e.value != other.value
}

func blocks(verdict string) bool { return verdict == "drop" || verdict == "reject" }

// blocking says that a policy keeps traffic out.
func blocking(p *ir.Policy) bool { return !p.Audit && (p.Verdict == ir.Drop || p.Verdict == ir.Reject) }

// String is "dscp cs5", "verdict drop", "label zoom", "rate 10 packets/second per host".
func (e effect) String() string {
	switch e.dimension {
	case "dscp", "verdict", "mark", "priority", "route":
		return e.dimension + " " + e.value
	case "label " + e.value:
		return e.dimension
	}
	return e.value
}
