package lint

import (
	"fmt"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

func untrackedFlows() Rule {
	return Rule{ID: "NP0523", Slug: "untracked-flows", Category: Logic, Severity: diag.Warning, Summary: "Policy never sees untracked packets", check: checkUntracked}
}

// checkUntracked reports policies of whose flows another one with notrack lets
// some pass without conntrack, where the order of policies says nothing. One
// that asks for more than headers is reported only if nothing is left to it:
// that it loses what it was not about is the purpose of notrack.
func checkUntracked(p *pass) {
	a := p.cases()
	a.bypassing(func(x *ir.Policy) bool { return x.NoTrack }, func(c, by *policyCase) {
		if !c.policy.NoTrack {
			p.untracked(a, c, by)
		}
	})
}

func (p *pass) untracked(a *analysis, c, by *policyCase) {
	var all, some bool
	fits := a.space.Try(questionNodes, func() {
		all = a.within(c, by)
		some = all || headersOnly(c.policy) && !a.space.Empty(a.space.And(c.possible, by.region))
	})
	if !fits || !some {
		return
	}
	what := "those of its flows that both match"
	if all {
		what = "all of its flows"
	}
	p.report(Finding{
		Subject: c.policy.Range, Policy: c.policy.Name,
		Related: []Related{{by.policy.Range, "has notrack = true"}},
		Detail:  fmt.Sprintf("Policy %q does nothing for %s: policy %q lets their packets pass without conntrack, and no other policy applies to them, wherever it stands.", c.policy.Name, what, by.policy.Name),
		Hint:    fmt.Sprintf("exempt them in %q, or narrow it", by.policy.Name),
	}.shown(a.common(c, by)))
}
