package lint

import (
	"fmt"
	"slices"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/flowspace"
	"github.com/netpol/netpol/lang/diag"
)

func conflictingPolicies() Rule {
	return Rule{ID: "NP0505", Slug: "conflicting-policies", Category: Logic, Severity: diag.Warning, Summary: "Policies conflict", check: checkConflicts}
}

// maxConflicts bounds how many conflicts of one policy are looked into; past
// that, the first ones tell enough.
const maxConflicts = 16

const (
	// maxTries bounds the places of an overlap that are looked at.
	maxTries = 16
	// maxExact bounds the earlier policies that are taken off an overlap one by
	// one where no sample escapes them all: the cost doubles with some of them.
	maxExact = 32
)

// checkConflicts reports pairs of policies that overlap without one holding the
// other, and want different things for the flows in common. A narrow policy
// before a broad one is the usual way to write an exception and is no conflict.
func checkConflicts(p *pass) { p.eachConflict(true) }

func orderDecides() Rule {
	return Rule{ID: "NP0509", Slug: "order-decides", Category: Logic, Severity: diag.Note, Summary: "Order of policies decides", Optional: true, check: checkOrder}
}

// checkOrder reports what checkConflicts leaves out: policies of which one asks
// who and the other what. Sets are full of them, and the order is mostly meant.
func checkOrder(p *pass) { p.eachConflict(false) }

// eachConflict reports the conflicts of every policy that are, or are not,
// worth a look by themselves.
func (p *pass) eachConflict(grave bool) {
	a := p.cases()
	for i, c := range a.cases {
		if !c.proven || c.never {
			continue
		}
		dead, _ := a.lost(i, effects(c.policy))
		a.space.Try(4*questionNodes, func() {
			for _, e := range effects(c.policy) {
				if dead[e.String()] != nil {
					continue // shadowed, which says more
				}
				if f, severity, ok := a.conflict(i, e, grave); ok {
					p.reportAt(severity, f)
					break
				}
			}
		})
	}
}

// crossing is a conflict that was found.
type crossing struct {
	j      int
	effect effect // of the earlier policy
	before []int  // earlier policies that decide some of the flows in common
	// listed says that the two are cut at one attribute, such as two lists of
	// applications with some in both; otherwise they ask for different things
	// (who, and what), which is often meant.
	listed bool
}

// conflict looks for earlier policies that want something else than one effect
// of policy i. The gravest is told, the others are counted.
func (a *analysis) conflict(i int, own effect, grave bool) (Finding, diag.Severity, bool) {
	c := a.cases[i]
	var found []crossing
	for j := range a.cases[:i] {
		if len(found) == maxConflicts {
			break
		}
		if x, ok := a.crosses(i, j, own); ok && x.grave() == grave {
			found = append(found, x)
		}
	}
	if len(found) == 0 {
		return Finding{}, 0, false
	}
	slices.SortStableFunc(found, func(x, y crossing) int { return int(x.severity()) - int(y.severity()) })
	for n, x := range found {
		if e := a.openExample(c, a.cases[x.j], x.before); e.flow != nil {
			return a.conflictFinding(c, own, x, len(found)-1-n).shown(e), x.severity(), true
		}
	}
	return Finding{}, 0, false
}

// grave says that a conflict is worth a look by itself: the two are cut at one
// attribute, or it is about a verdict.
func (x crossing) grave() bool { return x.listed || x.effect.dimension == "verdict" }

// severity is a warning, but for an accept before a block, which is mostly an
// exception from it, and for what is not grave. An accept behind a block does
// not do what it says.
func (x crossing) severity() diag.Severity {
	if x.listed || x.grave() && x.effect.value != "accept" {
		return diag.Warning
	}
	return diag.Note
}

func (a *analysis) crosses(i, j int, e effect) (crossing, bool) {
	c, o := a.cases[i], a.cases[j]
	if !o.proven || o.never {
		return crossing{}, false
	}
	k := slices.IndexFunc(effects(o.policy), e.conflicts)
	if k < 0 || !a.space.Overlap(c.possible, o.possible) || a.within(c, o) || a.within(o, c) {
		return crossing{}, false
	}
	x := crossing{j: j, effect: effects(o.policy)[k], before: a.decidedBefore(j, e, c)}
	open := false
	ok := a.space.Try(questionNodes, func() {
		open = a.open(c, o, x.before)
		x.listed = a.cutAtOneAttribute(c, o)
	})
	return x, ok && open
}

// decidedBefore lists the policies before j that decide e's dimension for some
// flows of c.
func (a *analysis) decidedBefore(j int, e effect, c *policyCase) []int {
	var out []int
	for k, o := range a.cases[:j] {
		if o.proven && !o.never && slices.ContainsFunc(effects(o.policy), func(x effect) bool { return x.decides(e) }) && a.space.Overlap(c.possible, o.possible) {
			out = append(out, k)
		}
	}
	return out
}

// open says that some plausible flow matches both policies, and none before
// them decides it.
func (a *analysis) open(c, o *policyCase, before []int) bool {
	s := a.space
	common := s.And(c.possible, o.possible)
	regions := a.regions(before)
	places := s.PlausibleSamples(common, maxTries)
	if slices.ContainsFunc(places, func(p flowspace.Place) bool { return !s.InsideAny(p, regions) }) {
		return true
	}
	if len(places) == 0 || len(before) > maxExact {
		return false
	}
	return s.IsPlausible(a.undecided(common, before))
}

// undecided is a region without what some policies decide.
func (a *analysis) undecided(r flowspace.Region, before []int) flowspace.Region {
	for _, k := range before {
		r = a.space.Diff(r, a.cases[k].region)
	}
	return r
}

// openExample is a flow that open speaks of.
func (a *analysis) openExample(c, o *policyCase, before []int) example {
	s := a.space
	var out example
	a.space.Try(questionNodes, func() {
		common := s.And(c.possible, o.possible)
		regions := a.regions(before)
		for _, p := range s.PlausibleSamples(common, maxTries) {
			if s.InsideAny(p, regions) {
				continue
			}
			if f, ok := s.WitnessAt(p); ok && met(f, c.policy.Cond, o.policy.Cond) {
				out = example{values(f, []ir.Expr{c.policy.Cond, o.policy.Cond}), f}
				return
			}
		}
		if len(before) <= maxExact {
			out = a.witness(a.undecided(common, before), c.policy.Cond, o.policy.Cond)
		}
	})
	return out
}

// cutAtOneAttribute says that the values that the two policies take of some
// attribute overlap without one's being part of the other's. Only conditions
// about the attribute alone count.
func (a *analysis) cutAtOneAttribute(c, o *policyCase) bool {
	s := a.space
	for _, attr := range attributes(c.policy.Cond) {
		if !asks(o.policy.Cond, attr.Name) {
			continue
		}
		x, y := s.Possible(a.about(c, attr.Name)), s.Possible(a.about(o, attr.Name))
		if !s.Within(x, y) && !s.Within(y, x) {
			return true
		}
	}
	return false
}

// about is the conditions of a policy that ask for one attribute only.
func (a *analysis) about(c *policyCase, name string) flowspace.Region {
	r := flowspace.All()
	for _, e := range conjuncts(c.policy.Cond) {
		if list := attributes(e); len(list) == 1 && list[0].Name == name {
			r = a.space.And(r, a.space.Region(e))
		}
	}
	return r
}

func (a *analysis) conflictFinding(c *policyCase, own effect, x crossing, more int) Finding {
	o := a.cases[x.j]
	detail := fmt.Sprintf("Some flows match both %q (%s) and %q (%s), and only the order of the two decides: they get %s.",
		o.policy.Name, x.effect, c.policy.Name, own, x.effect)
	switch {
	case more >= maxConflicts-1:
		detail += fmt.Sprintf(" %d or more earlier policies conflict with %q as well.", more, c.policy.Name)
	case more > 0:
		detail += fmt.Sprintf(" Earlier policies that conflict with %q as well: %d.", c.policy.Name, more)
	}
	return Finding{
		Subject: c.policy.Range, Policy: c.policy.Name, Detail: detail,
		Hint:    fmt.Sprintf("add to one of them exempt = the other's criteria, or put the flows in common into a policy of their own before %q", o.policy.Name),
		Related: []Related{{o.policy.Range, "has " + x.effect.String()}},
	}
}
