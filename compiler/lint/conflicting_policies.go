package lint

import (
	"fmt"
	"slices"

	"github.com/netpol/netpol/compiler/lint/flowspace"
	"github.com/netpol/netpol/lang/diag"
)

func conflictingPolicies() Rule {
	return Rule{ID: "NP0505", Slug: "conflicting-policies", Category: Logic, Severity: diag.Warning, Summary: "Policies conflict", check: checkConflicts}
}

// maxConflicts bounds how many conflicts of one policy are looked into; past
// that, the first ones tell enough.
const maxConflicts = 16

// checkConflicts reports pairs of policies that overlap without one holding the
// other, and want different things for the flows in common. A narrow policy
// before a broad one is the usual way to write an exception and is no conflict.
func checkConflicts(p *pass) {
	a := p.cases()
	for i, c := range a.cases {
		if !c.proven || c.never {
			continue
		}
		a.space.Try(4*questionNodes, func() {
			for _, e := range effects(c.policy) {
				if f, severity, ok := a.conflict(i, e); ok {
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
	effect effect
	common flowspace.Region
	// listed says that the two are cut at one attribute, such as two lists of
	// applications with some in both; otherwise they ask for different things
	// (who, and what), which is often meant.
	listed bool
}

// conflict looks for earlier policies that want something else than e of
// policy i. The gravest is told, the others are counted.
func (a *analysis) conflict(i int, e effect) (Finding, diag.Severity, bool) {
	var found []crossing
	for j := range a.cases[:i] {
		if len(found) == maxConflicts {
			break
		}
		if x, ok := a.crosses(i, j, e); ok {
			found = append(found, x)
		}
	}
	slices.SortStableFunc(found, func(x, y crossing) int { return a.gravity(x) - a.gravity(y) })
	for n, x := range found {
		if f, ok := a.conflictFinding(i, e, x, len(found)-n-1); ok {
			return f, diag.Severity(a.gravity(x)), true
		}
	}
	return Finding{}, 0, false
}

// gravity is the severity of a conflict, as a number. An accept behind a block
// does not do what it says, so it is grave whatever the two ask for; an accept
// before a block is mostly an exception from it.
func (a *analysis) gravity(x crossing) int {
	if x.listed || x.effect.dimension == "verdict" && x.effect.value != "accept" {
		return int(diag.Warning)
	}
	return int(diag.Note)
}

func (a *analysis) crosses(i, j int, e effect) (crossing, bool) {
	c, o := a.cases[i], a.cases[j]
	if !o.proven || o.never {
		return crossing{}, false
	}
	k := slices.IndexFunc(effects(o.policy), e.conflicts)
	if k < 0 || !a.space.Overlap(c.possible, o.possible) || a.space.Within(c.possible, o.region) || a.space.Within(o.possible, c.region) {
		return crossing{}, false
	}
	x := crossing{j: j, effect: effects(o.policy)[k]}
	open := false
	ok := a.space.Try(questionNodes, func() {
		open = a.space.IsPlausible(a.undecided(j, e, a.space.And(c.possible, o.possible)))
		x.listed = a.cutAtOneAttribute(c, o)
	})
	return x, ok && open
}

// undecided is a region without what policies before j decide for good.
func (a *analysis) undecided(j int, e effect, r flowspace.Region) flowspace.Region {
	for _, o := range a.cases[:j] {
		if o.proven && !o.never && slices.ContainsFunc(effects(o.policy), func(x effect) bool { return x.decides(e) }) && a.space.Overlap(r, o.possible) {
			r = a.space.Diff(r, o.region)
		}
	}
	return r
}

// cutAtOneAttribute says that the values that the two policies take of some
// attribute overlap without one's being part of the other's.
func (a *analysis) cutAtOneAttribute(c, o *policyCase) bool {
	for _, attr := range attributes(c.policy.Cond) {
		if !asks(o.policy.Cond, attr.Name) {
			continue
		}
		x, y := a.space.Onto(c.possible, attr.Name), a.space.Onto(o.possible, attr.Name)
		if !a.space.Within(x, y) && !a.space.Within(y, x) {
			return true
		}
	}
	return false
}

func (a *analysis) conflictFinding(i int, e effect, x crossing, more int) (Finding, bool) {
	c, o := a.cases[i], a.cases[x.j]
	var witness []Value
	a.space.Try(2*questionNodes, func() {
		r := a.undecided(x.j, e, a.space.And(c.possible, o.possible))
		if f, ok := a.space.Witness(r); ok && met(f, c.policy.Cond, o.policy.Cond) {
			witness = values(f, exprs(c.policy.Cond, o.policy.Cond))
		}
	})
	if witness == nil {
		return Finding{}, false
	}
	detail := fmt.Sprintf("Some flows match both %q (%s) and %q (%s), and only the order of the two decides: they get %s.",
		o.policy.Name, x.effect, c.policy.Name, e, x.effect)
	if more > 0 {
		detail += fmt.Sprintf(" %d more earlier policies conflict with %q.", more, c.policy.Name)
	}
	return Finding{
		Subject: c.policy.Range, Policy: c.policy.Name, Detail: detail, Witness: witness,
		Hint:    fmt.Sprintf("add to one of them exempt = the other's criteria, or put the flows in common into a policy of their own before %q", o.policy.Name),
		Related: []Related{{o.policy.Range, "has " + x.effect.String()}},
	}, true
}
