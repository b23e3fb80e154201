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
	skipped  int      // pairs of policies that there was no work left for
	pairs    pairs
	// attributeBit numbers the attributes that conditions are about.
	attributeBit map[string]int
}

// policyCase is one policy.
type policyCase struct {
	policy   *ir.Policy
	block    *lang.PolicyBlock
	criteria []ir.Expr   // its conjuncts without exemptions
	exempt   []exemption // its own and the set's
	halts    []halt      // what earlier policies with halt take from it
	base     flowspace.Region
	region   flowspace.Region // exemptions taken off
	possible flowspace.Region
	samples  []flowspace.Place
	effects  []effect
	// about is, for each attribute, the conditions that ask for nothing else.
	about  map[string]flowspace.Region
	bits   uint64           // the attributes of about
	lost   map[string][]int // effects that never win; nil until it is asked
	foot   flowspace.Footprint
	twin   int  // the first policy before it that is the same; -1 if there is none
	proven bool // the regions can be trusted
	never  bool
	always bool
}

// halt is what an earlier policy with halt takes from a later one.
type halt struct {
	by   *ir.Policy
	cond ir.Expr // that the later policy's flows must meet
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
	a := &analysis{attributeBit: map[string]int{}}
	var conditions []ir.Expr
	for i := range p.in.Set.Policies {
		c := p.newCase(&p.in.Set.Policies[i])
		conditions = append(conditions, c.policy.Cond)
		a.cases = append(a.cases, c)
	}
	a.space = flowspace.NewWithClock(p.in.Set.Catalogue, p.clock(), conditions...)
	a.space.Grant(a.work())
	for _, c := range a.cases {
		a.place(c)
	}
	a.index()
	a.space.Grant(a.work())
	p.analysis = a
	return a
}

// clock is what the set says of the time.
func (p *pass) clock() flowspace.Clock {
	return flowspace.Clock{Zone: p.in.Set.Settings.Timezone, Schedules: p.in.Set.Schedules}
}

// newCase is the policy in parts, made once.
func (p *pass) newCase(policy *ir.Policy) *policyCase {
	if c := p.parts[policy.ID]; c != nil && c.policy == policy {
		return c
	}
	c := p.takeApart(policy)
	if p.parts == nil {
		p.parts = map[int]*policyCase{}
	}
	p.parts[policy.ID] = c
	return c
}

func (p *pass) takeApart(policy *ir.Policy) *policyCase {
	c := &policyCase{policy: policy, block: p.block(policy), effects: effects(policy)}
	own := newSources(pointers(c.block.Exempt))
	for _, e := range conjuncts(policy.Cond) {
		by := p.haltOf(e)
		switch {
		case by != nil && by.ID < policy.ID:
			c.halts = append(c.halts, halt{by, e})
		case own.find(e.Pos()) != nil:
			c.addExempt(own.find, true, ir.NewNot(e.Pos(), e))
		case p.exemptOf(e.Pos()) != nil:
			c.addExempt(p.exemptOf, false, ir.NewNot(e.Pos(), e))
		default:
			c.criteria = append(c.criteria, e)
		}
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

// addExempt takes a condition apart into the elements of the list of exemptions
// that it was made of.
func (c *policyCase) addExempt(find func(diag.Range) *lang.Criteria, own bool, cond ir.Expr) {
	list := []ir.Expr{cond}
	if or, ok := cond.(*ir.Or); ok {
		list = or.List
	}
	whole := find(cond.Pos())
	var source *lang.Criteria
	var parts []ir.Expr
	end := func() {
		if len(parts) > 0 {
			c.exempt = append(c.exempt, exemption{source: source, own: own, cond: ir.NewOr(parts[0].Pos(), parts...)})
		}
		parts = nil
	}
	for _, e := range list {
		at := find(e.Pos())
		if at == nil {
			at = whole
		}
		if at != source {
			end()
		}
		source, parts = at, append(parts, e)
	}
	end()
}

// place finds the regions of a policy.
func (a *analysis) place(c *policyCase) {
	s := a.space
	c.proven = s.Keep(questionNodes, func() {
		c.base = s.Region(ir.NewAnd(c.policy.Range, c.criteria...))
		c.region = c.base
		for _, h := range c.halts {
			c.region = s.And(c.region, s.Region(h.cond))
		}
		for i := range c.exempt {
			c.exempt[i].region = s.Region(c.exempt[i].cond)
			c.region = s.Diff(c.region, c.exempt[i].region)
		}
		c.possible = s.Possible(c.region)
		c.about = a.about(c)
		c.bits = a.aboutBits(c)
	})
	if !c.proven {
		a.unproven = append(a.unproven, c.policy.Name)
		return
	}
	c.never = s.Empty(c.possible)
	c.samples = s.Samples(c.possible, a.sampleCount())
	outside := false
	if s.Try(questionNodes, func() { outside = s.Empty(s.Not(c.region)) }) {
		c.always = !c.never && outside
	}
}

// samples is how many places of each policy are tried before anything dearer.
// Of 1,000 policies as large networks have them, all but a handful show that
// they are not shadowed by then (measured 2026-11).
const samples = 32

// maxSampleBytes bounds the memory of all samples.
const maxSampleBytes = 96 << 20

// sampleCount is samples, or fewer where the places of many policies are large.
func (a *analysis) sampleCount() int {
	return max(1, min(samples, maxSampleBytes/(a.space.PlaceBytes()*max(len(a.cases), 1))))
}

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
