package label

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
)

// Dimensions of kernel effects. In each, the first policy that holds wins.
const (
	dscp = iota
	verdict
	priority
	route
	offload
	dimensions
)

// carrier says by which label each of a policy's kernel effects is told to
// the kernel.
type carrier [dimensions]carriedBy

// carriedBy is empty where the policy has no such effect. An auto label is set
// by the enforcer only if the policy wins the dimension.
type carriedBy struct {
	name string
	auto bool
}

// value is a policy's effect in a dimension as a text that is equal for equal
// effects, and the end of its automatic label's name; empty for no effect.
func value(p *ir.Policy, dim int) string {
	if p.Audit {
		return ""
	}
	switch dim {
	case dscp:
		if p.DSCP == nil {
			return ""
		}
		name := "dscp-" + p.DSCP.Name
		if p.DSCP.IfUnset {
			name += "-unset"
		}
		return name
	case verdict:
		if p.RejectWith != "" {
			return p.Verdict.String() + "-" + p.RejectWith
		}
		return p.Verdict.String()
	}
	if dim == route {
		if p.Route == nil {
			return ""
		}
		return fmt.Sprintf("route-%d", p.Route.Table)
	}
	if dim == offload {
		if !p.Offload {
			return ""
		}
		return "offload"
	}
	if p.Priority == nil {
		return ""
	}
	return "priority-" + strings.ReplaceAll(p.Priority.Text, ":", "-")
}

// span is where in the policy order a label is carried, and what by.
type span struct {
	first, last int
	value       [dimensions]string
	mixed       [dimensions]bool // the carriers disagree
}

// claim decides for every policy and dimension. A policy's own label carries
// the effect if the kernel can tell from the label alone what to do, and if
// the order of the rules then says the same as the order of the policies:
//
//   - every policy with the label has the same effect, and
//   - no policy between the first and the last of them has another effect, and
//   - no policy with the label has a verdict that waits for the enforcer, while
//     the label does not, and
//   - no policy with the label has rules of its own: the label stays, and the
//     effect may end.
//
// The second is needed because the label's rule stands at its first policy's
// place: with A (label x, cs5), B (cs1), C (label x, cs5), a flow of B and C
// only would get cs5 by x. All other effects have an automatic label each,
// which the enforcer sets for the winner alone. It has a label more for each
// stretch between policies that have rules of their own: those stand in the order
// of policies, and one rule can stand in one place.
func claim(policies []ir.Policy) []carrier {
	spans := spansOf(policies)
	changes := [dimensions][]int{}
	for dim := range dimensions {
		changes[dim] = runs(policies, dim)
	}
	out := make([]carrier, len(policies))
	stretches := [dimensions]stretches{}
	for i := range policies {
		for dim := range dimensions {
			v := value(&policies[i], dim)
			if v == "" {
				continue
			}
			if policies[i].Gated() {
				stretches[dim].number++
				continue // its own rules carry it
			}
			out[i][dim] = carriedBy{name: AutoPrefix + stretches[dim].name(v), auto: true}
			if dim == verdict && policies[i].Split.FailClosed {
				stretches[dim].number++ // the rule for when the enforcer cannot tell
			}
			for _, name := range policies[i].Labels {
				if s := spans[name]; !s.mixed[dim] && changes[dim][s.first] == changes[dim][s.last] {
					out[i][dim] = carriedBy{name: name}
					break
				}
			}
		}
	}
	return out
}

// stretches tells the automatic labels of one effect apart.
type stretches struct {
	number int              // of the one at hand
	seen   map[string][]int // by effect
}

// name is the effect itself in the first stretch that has it, then with a
// number: "drop", "drop-2".
func (s *stretches) name(effect string) string {
	if s.seen == nil {
		s.seen = map[string][]int{}
	}
	at := slices.Index(s.seen[effect], s.number)
	if at < 0 {
		at = len(s.seen[effect])
		s.seen[effect] = append(s.seen[effect], s.number)
	}
	if at == 0 {
		return effect
	}
	return fmt.Sprintf("%s-%d", effect, at+1)
}

func spansOf(policies []ir.Policy) map[string]*span {
	spans := make(map[string]*span)
	for i := range policies {
		if policies[i].Audit {
			continue
		}
		for _, name := range policies[i].Labels {
			s := spans[name]
			if s == nil {
				s = &span{first: i}
				for dim := range dimensions {
					s.value[dim] = value(&policies[i], dim)
				}
				spans[name] = s
			}
			s.last = i
			for dim := range dimensions {
				s.mixed[dim] = s.mixed[dim] || s.value[dim] != value(&policies[i], dim) || policies[i].Gated()
			}
			s.mixed[verdict] = s.mixed[verdict] || policies[i].Split.Late
		}
	}
	return spans
}

// runs numbers the stretches of policies that have one effect or none: two
// policies with an effect have the same number iff no other effect lies
// between them.
func runs(policies []ir.Policy, dim int) []int {
	out := make([]int, len(policies))
	run, last := 0, ""
	for i := range policies {
		v := value(&policies[i], dim)
		if v != "" && policies[i].Gated() {
			v = fmt.Sprint(i) // like no other
		}
		if v != "" && v != last {
			run, last = run+1, v
		}
		if dim == verdict && policies[i].Split.FailClosed {
			last = ""
		}
		out[i] = run
	}
	return out
}
