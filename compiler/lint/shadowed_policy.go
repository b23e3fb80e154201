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
		if !c.proven || c.never || len(list) == 0 || c.twin >= 0 {
			continue
		}
		lost, different := a.lost(i, list)
		if a.tired(i) {
			continue
		}
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
		fits := a.space.Try(2*questionNodes, func() {
			for _, e := range list {
				if by := a.deciders(i, e); by != nil {
					c.lost[e.String()] = by
				}
			}
		})
		if !fits {
			clear(c.lost)
		}
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

// oneOf is `"a"`, or `one of "a", "b"`.
func oneOf(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return "one of " + strings.Join(names, ", ")
}

// deciders are the earlier policies that together decide an effect's dimension
// for every flow of policy i; nil when some flow is left to it. One that does it
// alone is preferred. Samples come first: mostly one of them is decided by no
// earlier policy, and nothing else has to be asked.
func (a *analysis) deciders(i int, e effect) []int {
	c := a.cases[i]
	list := a.pairs.scratch[:0]
	for _, j := range a.earlier(i, e.dimension) {
		if o := a.cases[j]; !c.apart(o) && o.decides(e) {
			list = append(list, j)
		}
	}
	a.pairs.scratch = list
	if len(c.samples) == 0 || !a.allHeld(c.samples, list) {
		return nil
	}
	slices.Sort(list)
	for _, j := range list {
		if a.within(c, a.cases[j]) {
			return []int{j}
		}
	}
	var by []int
	if !a.space.Try(questionNodes, func() { by = a.cover(c, list) }) {
		return nil
	}
	return by
}

// cover is the policies of a list that together hold every flow of c, as few as
// it finds; nil when some flow escapes them. It samples what is left, stops at
// the first place that none of the list holds, and otherwise takes off the
// policy that holds the first place and most of the others.
func (a *analysis) cover(c *policyCase, list []int) []int {
	s := a.space
	rest, left, places := c.possible, slices.Clone(list), c.samples
	var by []int
	for !s.Empty(rest) {
		if len(places) == 0 || !s.Fits() || !a.allHeld(places, left) {
			return nil
		}
		best, most := -1, 0
		for k, j := range left {
			r := a.cases[j].region
			if !s.Inside(places[0], r) {
				continue
			}
			held := 0
			for _, p := range places {
				if s.Inside(p, r) {
					held++
				}
			}
			if held > most {
				best, most = k, held
			}
		}
		by = append(by, left[best])
		rest = s.Diff(rest, a.cases[left[best]].region)
		left = slices.Delete(left, best, best+1)
		places = s.Samples(rest, samples)
	}
	slices.Sort(by)
	return by
}

// allHeld says that each of some places is in one of some policies. It moves
// policies that hold one to the front: they are likely to hold the next.
func (a *analysis) allHeld(places []flowspace.Place, list []int) bool {
	for _, p := range places {
		k := slices.IndexFunc(list, func(j int) bool { return a.space.Inside(p, a.cases[j].region) })
		if k < 0 {
			return false
		}
		list[0], list[k] = list[k], list[0]
	}
	return true
}
