package label

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
)

// gate names the labels of a policy that has rules of its own. An empty name is
// no label.
type gate struct {
	holds string // the flow's condition holds; empty if it always does
	over  string // the policy's quota is used up; empty without one
	fail  string // it could hold: what of it headers tell does; empty likewise
	waits string // the same, and packets wait until it is known; empty where none do
	// own and fails say which of the two there are.
	own, fails bool
}

func gates(policies []ir.Policy) []gate {
	out := make([]gate, len(policies))
	audits := map[string]string{} // label -> policy
	uses := map[string]int{}      // of authors' labels
	for i := range policies {
		for _, name := range policies[i].Labels {
			uses[name]++
		}
	}
	for i := range policies {
		p := &policies[i]
		switch {
		case !p.Gated():
		case p.Audit && len(p.Packet) == 0:
			out[i] = gate{holds: auditName(p.Name, audits), own: true}
		case p.Lasting() && !p.Split.Late && len(p.Labels) > 0 && uses[p.Labels[0]] == 1:
			out[i] = gate{holds: p.Labels[0], own: true} // it says just this
		default:
			out[i] = gate{holds: conditionName(p), own: true}
		}
		if p.Quota != nil && !p.Audit {
			out[i].over = AutoPrefix + "over-" + digest(p.Name)
		}
		if p.Split.FailClosed {
			out[i].fails, out[i].fail = true, failName(p)
		}
		if p.Split.Holds {
			out[i].waits = Hold
			if p.Split.FailClosed && p.OnFail == ir.FailClosed {
				out[i].waits = HoldClosed
			}
		}
	}
	return out
}

// conditionName is by content, so that policies with one condition share a
// label, and that it keeps its bit whatever its policy is called. One that waits
// for the enforcer's word is set later, and is another.
func conditionName(p *ir.Policy) string {
	if c, ok := p.Cond.(*ir.Const); ok && c.Value {
		return ""
	}
	return fmt.Sprintf("%sif-%s", AutoPrefix, digest(fmt.Sprint(p.Split.Late)+ir.Dump(p.Cond)))
}

func failName(p *ir.Policy) string {
	var b strings.Builder
	for _, c := range p.Split.Fail {
		if len(c) == 0 {
			return ""
		}
		for _, l := range c {
			fmt.Fprintf(&b, "%v %s,", l.Not, l.Test)
		}
		b.WriteByte('\n')
	}
	return AutoPrefix + "fail-" + digest(b.String())
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}

// maxSlug keeps a label's name readable in a listing of connections.
const maxSlug = 40

// auditName is the policy's name in the letters that labels have. A name that
// another policy's comes to as well gets a digest.
func auditName(policy string, taken map[string]string) string {
	slug := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, policy)
	name := AutoPrefix + "audit-" + slug[:min(len(slug), maxSlug)]
	if other, ok := taken[name]; ok && other != policy {
		name += "-" + digest(policy)
	}
	taken[name] = policy
	return name
}

// gateEffect is what the enforcer writes for a policy with rules of its own.
func (a *allocation) gateEffect(p *ir.Policy, g gate) artifact.Effect {
	e := artifact.Effect{Late: p.Split.Late}
	if g.holds != "" {
		e.Labels = []int{a.bits[g.holds]}
	}
	if p.Lasting() {
		for _, name := range p.Labels {
			e.Labels = append(e.Labels, a.bits[name])
		}
		e.Mark = p.Mark
	}
	slices.Sort(e.Labels)
	e.Labels = slices.Compact(e.Labels)
	return e
}

// ruled is what rules do for such a policy.
func (a *allocation) ruled(i int, p *ir.Policy, g gate) KernelEffect {
	e := KernelEffect{Policy: i, Own: true}
	if g.holds != "" {
		e.Label = a.label(g.holds)
	}
	if p.Audit {
		return e
	}
	e.DSCP, e.Verdict, e.Priority, e.Route, e.Offload = p.DSCP, p.Verdict, p.Priority, p.Route, p.Offload
	if g.over != "" {
		e.Over = a.label(g.over)
	}
	if !p.Lasting() || p.Remarks {
		e.Mark = p.Mark
	}
	if p.Lasting() {
		return e
	}
	for _, name := range p.Labels {
		e.Sets = append(e.Sets, a.label(name))
	}
	return e
}

// failing is the verdict while the enforcer cannot tell.
func (a *allocation) failing(i int, p *ir.Policy, g gate) KernelEffect {
	e := KernelEffect{Policy: i, Own: true, Verdict: p.Verdict, Fail: true, Holds: p.Split.Holds}
	if g.fail != "" {
		e.Label = a.label(g.fail)
	}
	return e
}

// interfaceOut is the attribute of the interface that a flow leaves by.
const interfaceOut = "interface_out"

// outName is the label by which rules know the interface that a flow leaves by:
// only two of the hooks see it, and only of packets of one direction.
func outName(c *ir.Compare) string { return AutoPrefix + "out-" + digest(strings.Join(c.Strings, ",")) }

// outs are those labels. No name stands for flows that leave by no interface,
// which have no label: then it is the others that get it.
func (a *allocation) outs(policies []ir.Policy) []Out {
	var out []Out
	seen := map[string]bool{}
	for i := range policies {
		for _, l := range policies[i].Packet {
			if l.Test.Attr.Name != interfaceOut || seen[outName(l.Test)] {
				continue
			}
			seen[outName(l.Test)] = true
			o := Out{Label: a.label(outName(l.Test)), Names: l.Test.Strings}
			if len(o.Names) > 0 && o.Names[0] == "" { // sorted
				o.Names, o.Invert = o.Names[1:], true
			}
			out = append(out, o)
		}
	}
	return out
}
