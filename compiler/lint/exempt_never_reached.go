package lint

import (
	"fmt"

	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

func exemptNeverReached() Rule {
	return Rule{ID: "NP0508", Slug: "exempt-never-reached", Category: Logic, Severity: diag.Warning, Summary: "Exemption never applies", check: checkExempt}
}

// checkExempt reports exemptions of flows that the criteria leave out anyway.
func checkExempt(p *pass) {
	a := p.cases()
	reached := map[*lang.Criteria]bool{} // of the set's exemptions
	asked := map[*lang.Criteria]bool{}
	for _, c := range a.cases {
		for _, e := range c.exempt {
			empty := false
			trusted := a.space.Try(questionNodes, func() { empty = a.space.Empty(a.space.And(c.base, e.region)) })
			switch {
			case !e.own:
				asked[e.source] = true
				reached[e.source] = reached[e.source] || !empty || !trusted
			case empty && trusted && c.proven && !c.never:
				p.report(Finding{
					Subject: e.source.Range, Policy: c.policy.Name,
					Detail: fmt.Sprintf("No flow that the criteria of policy %q match is exempted by this: %s.", c.policy.Name, describe(e.cond)),
					Hint:   "remove the exemption, or correct it",
				})
			}
		}
	}
	for i := range p.in.Policy.Exempt {
		source := &p.in.Policy.Exempt[i]
		if asked[source] && !reached[source] {
			p.report(Finding{Subject: source.Range, Detail: "No policy of the set matches any flow that this exempts.", Hint: "remove the exemption, or correct it"})
		}
	}
}
