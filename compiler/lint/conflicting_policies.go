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
	// maxExamples bounds the conflicts that facts are looked for before the
	// policy is left alone, and the places that they are made up for.
	maxExamples = 4
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
		if !c.proven || c.never || a.tired(i) {
			continue
		}
		dead, _ := a.lost(i, c.effects)
		var f Finding
		var severity diag.Severity
		found := false
		fits := a.space.Try(4*questionNodes, func() {
			for _, e := range c.effects {
				if dead[e.String()] != nil {
					continue // shadowed, which says more
				}
				if f, severity, found = a.conflict(i, e, grave); found {
					break
				}
			}
		})
		if fits && found {
			p.reportAt(severity, f)
		}
	}
}

// crossing is a conflict that was found.
type crossing struct {
	other  *policyCase
	own    effect // of the later policy
	effect effect // of the earlier policy
	before []int  // still earlier policies with an effect of the same dimension
	// listed says that the two are cut at one attribute, such as two lists of
	// applications with some in both; otherwise they ask for different things
	// (who, and what), which is often meant.
	listed bool
	alike  bool // the two ask for the same attributes
}

// conflict looks for earlier policies that want something else than one effect
// of policy i. The gravest is told, the others are counted.
func (a *analysis) conflict(i int, own effect, grave bool) (Finding, diag.Severity, bool) {
	c := a.cases[i]
	before := a.earlier(i, own.dimension)
	var found []crossing
	for n, j := range before {
		if len(found) == maxConflicts {
			break
		}
		if x, ok := a.crosses(c, a.cases[j], own, grave); ok {
			x.before = before[:n]
			if a.isOpen(c, x) {
				found = append(found, x)
			}
		}
	}
	slices.SortStableFunc(found, func(x, y crossing) int { return int(x.severity()) - int(y.severity()) })
	for n, x := range found[:min(len(found), maxExamples)] {
		if e := a.openExample(c, x); e.flow != nil {
			return a.conflictFinding(c, own, x, len(found)-1-n).shown(e), x.severity(), true
		}
	}
	return Finding{}, 0, false
}

// grave says that a conflict is worth a look by itself. An accept behind a block
// does not do what it says. An accept before one is how exceptions are written,
// unless both ask for the same attributes. Other effects are worth it where the
// two are cut at one attribute.
func (x crossing) grave() bool {
	if x.effect.dimension == "verdict" {
		return x.effect.value != "accept" || x.listed && x.alike
	}
	return x.listed
}

// severity is a note for what is not grave.
func (x crossing) severity() diag.Severity {
	if x.grave() {
		return diag.Warning
	}
	return diag.Note
}

// crosses says that an earlier policy overlaps and wants something else, that
// neither is an exception from the other, and that this is, or is not, worth a
// look by itself. What is cheap to see comes first.
func (a *analysis) crosses(c, o *policyCase, own effect, grave bool) (crossing, bool) {
	verdict := own.dimension == "verdict"
	if c.apart(o) || grave && !verdict && c.bits&o.bits == 0 {
		return crossing{}, false
	}
	k := slices.IndexFunc(o.effects, own.conflicts)
	if k < 0 || !a.space.Overlap(c.possible, o.possible) {
		return crossing{}, false
	}
	x := crossing{other: o, own: own, effect: o.effects[k], listed: a.cutAtOneAttribute(c, o), alike: c.bits == o.bits}
	return x, x.grave() == grave && !a.within(c, o) && !a.within(o, c)
}

// isOpen is open as a question of its own.
func (a *analysis) isOpen(c *policyCase, x crossing) bool {
	open := false
	return a.space.Try(questionNodes, func() { open = a.open(c, x) }) && open
}

// open says that some plausible flow matches both policies, and none before
// them decides it.
func (a *analysis) open(c *policyCase, x crossing) bool {
	s := a.space
	common := s.And(c.possible, x.other.possible)
	undecided := func(p flowspace.Place) bool { return !a.decided(p, x.before, x.own) }
	if slices.ContainsFunc(s.LikelySamples(common, maxTries), undecided) || slices.ContainsFunc(s.PlausibleSamples(common, maxTries), undecided) {
		return true
	}
	before := a.deciding(c, x)
	return len(before) <= maxExact && s.IsPlausible(a.undecided(common, before))
}

// deciding lists the policies before a crossing that decide some of its flows.
func (a *analysis) deciding(c *policyCase, x crossing) []int {
	var out []int
	for _, k := range x.before {
		o := a.cases[k]
		if !o.apart(c) && !o.apart(x.other) && o.decides(x.own) && a.space.Overlap(c.possible, o.possible) {
			out = append(out, k)
		}
	}
	return out
}

// undecided is a region without what some policies decide.
func (a *analysis) undecided(r flowspace.Region, before []int) flowspace.Region {
	for _, k := range before {
		r = a.space.Diff(r, a.cases[k].region)
	}
	return r
}

// exampleAt makes facts up for the first of some places.
func (a *analysis) exampleAt(places []flowspace.Place, conditions ...ir.Expr) example {
	for _, p := range places[:min(len(places), maxExamples)] {
		if f, ok := a.space.WitnessAt(p); ok && met(f, conditions...) {
			return example{values(f, conditions), f}
		}
	}
	return example{}
}

// openExample is a flow that open speaks of.
func (a *analysis) openExample(c *policyCase, x crossing) example {
	s, o := a.space, x.other
	var out example
	a.space.Try(questionNodes, func() {
		common := s.And(c.possible, o.possible)
		decided := func(p flowspace.Place) bool { return a.decided(p, x.before, x.own) }
		places := slices.DeleteFunc(s.LikelySamples(common, maxTries), decided)
		if len(places) == 0 {
			places = slices.DeleteFunc(s.PlausibleSamples(common, maxTries), decided)
		}
		if out = a.exampleAt(places, c.policy.Cond, o.policy.Cond); out.flow != nil {
			return
		}
		if before := a.deciding(c, x); len(before) <= maxExact {
			out = a.witness(a.undecided(common, before), c.policy.Cond, o.policy.Cond)
		}
	})
	return out
}

// cutAtOneAttribute says that the values that the two policies take of some
// attribute overlap without one's being part of the other's. Only conditions
// about the attribute alone count.
func (a *analysis) cutAtOneAttribute(c, o *policyCase) bool {
	for name, x := range c.about {
		if y, ok := o.about[name]; ok && !a.space.Within(x, y) && !a.space.Within(y, x) {
			return true
		}
	}
	return false
}

func (a *analysis) conflictFinding(c *policyCase, own effect, x crossing, more int) Finding {
	o := x.other
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
