package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

func duplicatePolicy() Rule {
	return Rule{ID: "NP0504", Slug: "duplicate-policy", Category: Logic, Severity: diag.Warning, Summary: "Policy is a duplicate", check: checkDuplicate}
}

// checkDuplicate reports policies that match the same flows as an earlier one
// and do the same.
func checkDuplicate(p *pass) {
	a := p.cases()
	for _, c := range a.cases {
		if c.twin < 0 {
			continue
		}
		first := a.cases[c.twin].policy
		p.report(Finding{
			Subject: c.policy.Range, Policy: c.policy.Name,
			Detail:  fmt.Sprintf("Policy %q matches the same flows as %q and does the same: %s.", c.policy.Name, first.Name, describeEffects(first)),
			Hint:    "remove one of the two",
			Related: []Related{{first.Range, "does the same"}},
		}.shown(a.witness(c.possible, c.policy.Cond, first.Cond)))
	}
}

func sameEffects(a, b *ir.Policy) bool {
	x, y := effects(a), effects(b)
	return len(x) == len(y) && !slices.ContainsFunc(x, func(e effect) bool { return !slices.Contains(y, e) })
}

func describeEffects(p *ir.Policy) string {
	var out []string
	for _, e := range effects(p) {
		out = append(out, e.String())
	}
	if len(out) == 0 {
		return "nothing"
	}
	return strings.Join(out, ", ")
}
