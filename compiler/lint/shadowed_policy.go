package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/lang/diag"
)

func shadowedPolicy() Rule {
	return Rule{ID: "NP0503", Slug: "shadowed-policy", Category: Logic, Severity: diag.Warning, Summary: "Policy is shadowed", check: checkShadowed}
}

// checkShadowed reports policies whose effects can never win, because earlier
// policies decide the same for every flow that they match.
func checkShadowed(p *pass) {
	a := p.cases()
	for i, c := range a.cases {
		list := effects(c.policy)
		if !c.proven || c.never || len(list) == 0 || a.duplicate(i) >= 0 {
			continue
		}
		lost, different := a.lost(i, list)
		if len(lost) == len(list) || len(lost) > 0 && different {
			p.report(a.shadowFinding(c, list, lost))
		}
	}
}

// lost is which effects of policy i never win, with the earlier policies that
// decide them, and whether any of those decides something different.
func (a *analysis) lost(i int, list []effect) (lost map[string][]int, different bool) {
	lost = map[string][]int{}
	ok := a.space.Try(2*questionNodes, func() {
		for _, e := range list {
			by := a.deciders(i, e)
			if by == nil {
				continue
			}
			lost[e.String()] = by
			for _, j := range by {
				different = different || slices.ContainsFunc(effects(a.cases[j].policy), e.differs)
			}
		}
	})
	if !ok {
		return nil, false
	}
	return lost, different
}

func (a *analysis) shadowFinding(c *policyCase, list []effect, lost map[string][]int) Finding {
	var names, dead []string
	var related []Related
	for _, e := range list {
		by, ok := lost[e.String()]
		if !ok {
			continue
		}
		dead = append(dead, e.String())
		for _, j := range by {
			other := a.cases[j].policy
			if name := fmt.Sprintf("%q", other.Name); !slices.Contains(names, name) {
				names = append(names, name)
				related = append(related, Related{other.Range, "matches first: " + describeEffects(other)})
			}
		}
	}
	f := Finding{
		Subject: c.policy.Range, Policy: c.policy.Name, Related: related,
		Hint: fmt.Sprintf("move %q before %s, narrow the earlier criteria, or remove it", c.policy.Name, names[0]),
	}
	what := "nothing that it does can ever take effect"
	if len(dead) < len(list) {
		what = "its " + strings.Join(dead, " and ") + " can never take effect"
	}
	f.Detail = fmt.Sprintf("Every flow that matches policy %q matches %s before it, so %s.", c.policy.Name, oneOf(names), what)
	first := a.cases[lost[dead[0]][0]]
	f.Witness = a.witness(a.space.And(c.possible, first.region), c.policy.Cond, first.policy.Cond)
	return f
}

// oneOf is `"a"`, or `one of "a", "b"`.
func oneOf(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return "one of " + strings.Join(names, ", ")
}

// deciders are the earlier policies that together decide an effect's dimension
// for every flow of policy i; nil when some flow is left to it. One that does it
// alone is preferred.
func (a *analysis) deciders(i int, e effect) []int {
	c := a.cases[i]
	var some []int
	for j, o := range a.cases[:i] {
		if !o.proven || o.never || !slices.ContainsFunc(effects(o.policy), func(x effect) bool { return x.decides(e) }) {
			continue
		}
		if a.space.Within(c.possible, o.region) {
			return []int{j}
		}
		if a.space.Overlap(c.possible, o.possible) {
			some = append(some, j)
		}
	}
	if len(some) < 2 {
		return nil
	}
	var by []int
	ok := a.space.Try(questionNodes, func() {
		rest := c.possible
		for _, j := range some {
			if before := rest; !a.space.Empty(rest) {
				if rest = a.space.Diff(rest, a.cases[j].region); rest != before {
					by = append(by, j)
				}
			}
		}
		if !a.space.Empty(rest) {
			by = nil
		}
	})
	if !ok {
		return nil
	}
	return by
}
