package lint

import (
	"fmt"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

func offloadBypass() Rule {
	return Rule{ID: "NP0524", Slug: "offload-bypass", Category: Logic, Severity: diag.Warning, Summary: "Offloaded packets bypass a policy", check: checkOffload}
}

// checkOffload reports policies that act on packets of connections that another
// one takes past all rules.
func checkOffload(p *pass) {
	a := p.cases()
	a.bypassing(func(x *ir.Policy) bool { return x.Offload }, func(c, by *policyCase) {
		lost := bypassed(c.policy)
		if len(lost) == 0 || !a.space.Overlap(c.possible, by.possible) {
			return
		}
		p.report(Finding{
			Subject: c.policy.Range, Policy: c.policy.Name,
			Related: []Related{{by.policy.Range, "has offload = true"}},
			Detail: fmt.Sprintf("Policy %q acts on packets (%s), and some of its connections are offloaded by policy %q: no rule sees their packets from then on.",
				c.policy.Name, strings.Join(lost, ", "), by.policy.Name),
			Hint: fmt.Sprintf("exempt them in %q, or narrow it", by.policy.Name),
		}.shown(a.common(c, by)))
	})
}

// bypassed names what a policy does to each packet.
func bypassed(p *ir.Policy) []string {
	var out []string
	for _, e := range []struct {
		name string
		has  bool
	}{
		{"dscp", p.DSCP != nil},
		{"priority", p.Priority != nil},
		{"route", p.Route != nil},
		{"rate", p.Rate != nil},
		{"quota", p.Quota != nil},
		{"count", p.Count != nil},
		{"log", p.Log != nil},
		{"verdict " + p.Verdict.String(), blocking(p)},
		{"audit", p.Audit},
	} {
		if e.has && (!p.Audit || e.name == "audit") {
			out = append(out, e.name)
		}
	}
	return out
}
