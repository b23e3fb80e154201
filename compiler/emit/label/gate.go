package label

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/fact"
)

// gate names the automatic labels of a policy whose effects are not told by
// labels of their own: rules ask more of each packet, or only count. An empty
// name is no label.
type gate struct {
	holds string // the flow's condition holds; empty if it always does
	fail  string // it could hold: what of it headers tell does; empty likewise
	// asks and fails say which of the two there are.
	asks, fails bool
}

func gates(policies []ir.Policy) []gate {
	out := make([]gate, len(policies))
	audits := map[string]string{} // label -> policy
	for i := range policies {
		p := &policies[i]
		switch {
		case len(p.Packet) > 0:
			out[i] = gate{holds: conditionName(p), asks: true}
		case p.Audit:
			out[i] = gate{holds: auditName(p.Name, audits), asks: true}
		}
		if p.Split.FailClosed {
			out[i].fails, out[i].fail = true, failName(p)
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
	return fmt.Sprintf("%sif-%s", autoPrefix, digest(fmt.Sprint(p.Split.Late)+ir.Dump(p.Cond)))
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
	return autoPrefix + "fail-" + digest(b.String())
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
	name := autoPrefix + "audit-" + slug[:min(len(slug), maxSlug)]
	if other, ok := taken[name]; ok && other != policy {
		name += "-" + digest(policy)
	}
	taken[name] = policy
	return name
}

// gateEffect is what the enforcer writes for a policy with a gate.
func (a *allocation) gateEffect(p *ir.Policy, g gate) artifact.Effect {
	e := artifact.Effect{Late: p.Split.Late}
	if g.holds != "" {
		e.Labels = []int{a.bits[g.holds]}
	}
	return e
}

// gated is what rules do for such a policy.
func (a *allocation) gated(i int, p *ir.Policy, g gate) KernelEffect {
	e := KernelEffect{Policy: i, Packet: p.Packet, Audit: p.Audit}
	if g.holds != "" {
		e.Label = a.label(g.holds)
	}
	if p.Audit {
		return e
	}
	if p.DSCP != nil {
		value := p.DSCP.Value
		e.DSCP = &value
	}
	e.Verdict, e.Mark = p.Verdict, p.Mark
	for _, name := range p.Labels {
		e.Sets = append(e.Sets, a.label(name))
	}
	return e
}

// failing is the verdict while the enforcer cannot tell.
func (a *allocation) failing(i int, p *ir.Policy, g gate) KernelEffect {
	e := KernelEffect{Policy: i, Packet: p.Packet, Verdict: p.Verdict, Fail: true}
	if g.fail != "" {
		e.Label = a.label(g.fail)
	}
	return e
}

// outName is the label by which rules know the interface that a flow leaves by:
// only two of the hooks see it, and only of packets of one direction.
func outName(c *ir.Compare) string { return autoPrefix + "out-" + digest(strings.Join(c.Strings, ",")) }

// outs are those labels. No name stands for flows that leave by no interface,
// which have no label: then it is the others that get it.
func (a *allocation) outs(policies []ir.Policy) []Out {
	var out []Out
	seen := map[string]bool{}
	for i := range policies {
		for _, l := range policies[i].Packet {
			if l.Test.Attr.Type != fact.InterfaceName || seen[outName(l.Test)] {
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
