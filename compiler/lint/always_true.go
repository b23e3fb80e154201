package lint

import (
	"fmt"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

func alwaysTrue() Rule {
	return Rule{ID: "NP0502", Slug: "always-true", Category: Logic, Severity: diag.Warning, Summary: "Policy always applies", check: checkAlwaysTrue}
}

// checkAlwaysTrue reports policies that match every flow and do not say so: the
// criterion true is the way to say it.
func checkAlwaysTrue(p *pass) {
	a := p.cases()
	for _, c := range a.cases {
		if !c.always || saysTrue(c) {
			continue
		}
		p.report(Finding{
			Subject: c.policy.Range, Policy: c.policy.Name,
			Detail:  fmt.Sprintf("Every flow matches policy %q, also one like this: its conditions leave nothing out. Did an or stand where an and was meant?", c.policy.Name),
			Hint:    "write criteria = \"true\" if every flow is meant",
			Related: relatedConditions(alternatives(c.policy.Cond)),
		}.shown(a.witness(c.possible, c.policy.Cond)))
	}
}

// saysTrue reports the criterion true.
func saysTrue(c *policyCase) bool {
	for i := range c.block.Criteria {
		if strings.EqualFold(strings.Trim(strings.TrimSpace(c.block.Criteria[i].Text), "; "), "true") {
			return true
		}
	}
	return false
}

// alternatives is the parts of a top-level or.
func alternatives(e ir.Expr) []ir.Expr {
	if or, ok := e.(*ir.Or); ok {
		return or.List
	}
	return []ir.Expr{e}
}
