package lint

import (
	"slices"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/flowspace"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// questionNodes bounds what one question may cost, about 40 MiB and half a
// second.
const questionNodes = 1 << 20

// analysis is the policies as sets of flows.
type analysis struct {
	space    *flowspace.Space
	cases    []*policyCase
	unproven []string // names of policies that were too complex
}

// policyCase is one policy.
type policyCase struct {
	policy   *ir.Policy
	block    *lang.PolicyBlock
	criteria []ir.Expr   // its conjuncts without exemptions
	exempt   []exemption // its own and the set's
	base     flowspace.Region
	region   flowspace.Region // exemptions taken off
	possible flowspace.Region
	samples  []flowspace.Place
	effects  []effect
	// about is, for each attribute, the conditions that ask for nothing else.
	about  map[string]flowspace.Region
	lost   map[string][]int // effects that never win; nil until it is asked
	proven bool             // the regions can be trusted
	never  bool
	always bool
}

// exemption is one element of exempt.
type exemption struct {
	source *lang.Criteria
	own    bool
	cond   ir.Expr
	region flowspace.Region
}

// cases is the policies as sets of flows, made once a run.
func (p *pass) cases() *analysis {
	if p.analysis != nil {
		return p.analysis
	}
	a := &analysis{}
	var conditions []ir.Expr
	for i := range p.in.Set.Policies {
		c := p.newCase(&p.in.Set.Policies[i])
		conditions = append(conditions, c.policy.Cond)
		a.cases = append(a.cases, c)
	}
	a.space = flowspace.New(p.in.Set.Catalogue, conditions...)
	for _, c := range a.cases {
		a.place(c)
	}
	p.analysis = a
	return a
}

func (p *pass) newCase(policy *ir.Policy) *policyCase {
	c := &policyCase{policy: policy, block: p.block(policy), effects: effects(policy)}
	for _, e := range conjuncts(policy.Cond) {
		if source, own, ok := p.exemptAt(c.block, e.Pos()); ok {
			all := p.in.Policy.Exempt
			if own {
				all = c.block.Exempt
			}
			c.addExempt(source, own, all, ir.NewNot(e.Pos(), e))
			continue
		}
		c.criteria = append(c.criteria, e)
	}
	return c
}

// conjuncts is the parts of a top-level and.
func conjuncts(e ir.Expr) []ir.Expr {
	if and, ok := e.(*ir.And); ok {
		return and.List
	}
	return []ir.Expr{e}
}

// exemptAt finds the exemption that a condition was written in.
func (p *pass) exemptAt(b *lang.PolicyBlock, at diag.Range) (source *lang.Criteria, own, ok bool) {
	for i := range b.Exempt {
		if within(at, &b.Exempt[i]) {
			return &b.Exempt[i], true, true
		}
	}
	for i := range p.in.Policy.Exempt {
		if within(at, &p.in.Policy.Exempt[i]) {
			return &p.in.Policy.Exempt[i], false, true
		}
	}
	return nil, false, false
}

// within says that a place is in a criterion, be it where the criterion stands
// or in the local that its text comes from.
func within(at diag.Range, c *lang.Criteria) bool {
	return inside(at, c.Range) || inside(at, c.RangeOf(0, len(c.Text)))
}

func inside(a, b diag.Range) bool {
	return a.Filename == b.Filename && a.Start.Byte >= b.Start.Byte && a.End.Byte <= b.End.Byte
}

// addExempt takes a condition apart into the elements of the list of exemptions
// that it was made of.
func (c *policyCase) addExempt(source *lang.Criteria, own bool, all []lang.Criteria, cond ir.Expr) {
	list := []ir.Expr{cond}
	if or, ok := cond.(*ir.Or); ok {
		list = or.List
	}
	for _, e := range list {
		at := source
		for i := range all {
			if within(e.Pos(), &all[i]) {
				at = &all[i]
			}
		}
		if n := len(c.exempt); n > 0 && c.exempt[n-1].source == at {
			c.exempt[n-1].cond = ir.NewOr(e.Pos(), c.exempt[n-1].cond, e)
			continue
		}
		c.exempt = append(c.exempt, exemption{source: at, own: own, cond: e})
	}
}

// place finds the regions of a policy.
func (a *analysis) place(c *policyCase) {
	s := a.space
	c.proven = s.Keep(questionNodes, func() {
		c.base = s.Region(ir.NewAnd(c.policy.Range, c.criteria...))
		c.region = c.base
		for i := range c.exempt {
			c.exempt[i].region = s.Region(c.exempt[i].cond)
			c.region = s.Diff(c.region, c.exempt[i].region)
		}
		c.possible = s.Possible(c.region)
		c.about = a.about(c)
	})
	if !c.proven {
		a.unproven = append(a.unproven, c.policy.Name)
		return
	}
	c.never = s.Empty(c.possible)
	c.samples = s.Samples(c.possible, samples)
	outside := false
	if s.Try(questionNodes, func() { outside = s.Empty(s.Not(c.region)) }) {
		c.always = !c.never && outside
	}
}

// samples is how many places of each policy are tried before anything dearer.
// Of 1,000 policies as large networks have them, all but a handful show that
// they are not shadowed by then (measured 2026-11).
const samples = 32

// within says that every flow of c matches o.
func (a *analysis) within(c, o *policyCase) bool {
	for _, p := range c.samples {
		if !a.space.Inside(p, o.region) {
			return false
		}
	}
	return a.space.Within(c.possible, o.region)
}

// about is, for each attribute, the flows that meet the conditions of a policy
// that ask for nothing else.
func (a *analysis) about(c *policyCase) map[string]flowspace.Region {
	out := map[string]flowspace.Region{}
	for _, e := range conjuncts(c.policy.Cond) {
		list := attributes(e)
		if len(list) != 1 {
			continue
		}
		r, ok := out[list[0].Name]
		if !ok {
			r = flowspace.All()
		}
		out[list[0].Name] = a.space.Possible(a.space.And(r, a.space.Region(e)))
	}
	return out
}

// witness finds a flow of a region and tries it on the conditions: it must
// meet all of them.
func (a *analysis) witness(r flowspace.Region, conditions ...ir.Expr) example {
	var facts *fact.Facts
	a.space.Try(questionNodes, func() {
		if f, ok := a.space.Witness(r); ok && met(f, conditions...) {
			facts = f
		}
	})
	if facts == nil {
		return example{}
	}
	return example{values(facts, conditions), facts}
}

// attributes lists what conditions ask about, by name.
func attributes(conditions ...ir.Expr) []fact.Attribute {
	seen := map[string]bool{}
	var out []fact.Attribute
	add := func(a fact.Attribute) {
		if !seen[a.Name] {
			seen[a.Name] = true
			out = append(out, a)
		}
	}
	for _, c := range conditions {
		ir.Walk(c, func(e ir.Expr) {
			switch e := e.(type) {
			case *ir.Compare:
				add(e.Attr)
			case *ir.Residual:
				for _, a := range e.Reads {
					add(a)
				}
			default:
			}
		})
	}
	order := func(a fact.Attribute) int {
		return slices.IndexFunc(fact.Attributes, func(b fact.Attribute) bool { return a.Name == b.Name })
	}
	slices.SortFunc(out, func(a, b fact.Attribute) int { return order(a) - order(b) })
	return out
}

// asks says that a condition reads an attribute.
func asks(e ir.Expr, name string) bool {
	return slices.ContainsFunc(attributes(e), func(a fact.Attribute) bool { return a.Name == name })
}
