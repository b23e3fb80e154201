package lint

import "github.com/netpol/netpol/compiler/ir"

// bypassing calls visit for every policy that takes packets away from all others,
// and every other one that may want them.
func (a *analysis) bypassing(takes func(*ir.Policy) bool, visit func(c, by *policyCase)) {
	for _, by := range a.cases {
		if !takes(by.policy) || !by.proven || by.never {
			continue
		}
		for _, c := range a.cases {
			if c != by && c.proven && !c.never && !c.apart(by) {
				visit(c, by)
			}
		}
	}
}

// common is a flow that both policies match.
func (a *analysis) common(c, by *policyCase) (e example) {
	a.space.Try(questionNodes, func() {
		e = a.witness(a.space.And(c.possible, by.region), c.policy.Cond, by.policy.Cond)
	})
	return e
}
