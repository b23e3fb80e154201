package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/lint/flowspace"
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
		list := c.effects
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
	c := a.cases[i]
	if c.lost == nil {
		c.lost = map[string][]int{}
		a.space.Try(2*questionNodes, func() {
			for _, e := range list {
				if by := a.deciders(i, e); by != nil {
					c.lost[e.String()] = by
				}
			}
		})
	}
	for _, e := range list {
		for _, j := range c.lost[e.String()] {
			different = different || slices.ContainsFunc(a.cases[j].effects, e.differs)
		}
	}
	return c.lost, different
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
	var e example
	a.space.Try(questionNodes, func() {
		e = a.witness(a.space.And(c.possible, first.region), c.policy.Cond, first.policy.Cond)
	})
	return f.shown(e)
}

func (a *analysis) regions(list []int) []flowspace.Region {
	out := make([]flowspace.Region, len(list))
	for i, j := range list {
		out[i] = a.cases[j].region
	}
	return out
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
		if !o.proven || o.never || !slices.ContainsFunc(o.effects, func(x effect) bool { return x.decides(e) }) {
			continue
		}
		if a.within(c, o) {
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
	if !a.space.Try(questionNodes, func() { by = a.cover(c, some) }) {
		return nil
	}
	return by
}

// cover is the policies of a list that together hold every flow of c, as few as
// it finds; nil when some flow escapes them. It samples what is left, stops at
// the first place that none of the list holds, and otherwise takes off the
// policy that holds most of the samples.
func (a *analysis) cover(c *policyCase, list []int) []int {
	s := a.space
	rest, left := c.possible, slices.Clone(list)
	places := c.samples
	var by []int
	for !s.Empty(rest) {
		regions := a.regions(left)
		held := make([]int, len(left))
		for _, p := range places {
			open := true
			for n, r := range regions {
				if s.Inside(p, r) {
					held[n]++
					open = false
				}
			}
			if open {
				return nil
			}
		}
		if len(left) == 0 || len(places) == 0 || !s.Fits() {
			return nil
		}
		best := slices.Index(held, slices.Max(held))
		by = append(by, left[best])
		rest = s.Diff(rest, regions[best])
		left = slices.Delete(left, best, best+1)
		places = s.Samples(rest, samples)
	}
	slices.Sort(by)
	return by
}
