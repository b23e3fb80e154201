package policydiff

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/flowfacts"
	"github.com/netpol/netpol/cmd/netpol/internal/outcome"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/resolve"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/fact"
)

// Source is a policy set to be compared.
type Source struct {
	Policy    *lang.Policy
	Bundle    *artifact.Bundle    // compiled from Policy
	Catalogue *artifact.Catalogue // the standard one, which Policy adds to
}

// side is one of the two policy sets, loaded.
type side struct {
	bundle    *artifact.Bundle
	resolved  *ir.Set // conditions as they were written
	evaluator *outcome.Evaluator
	world     *flowfacts.World
	known     map[string]bool // applications
	facts     fact.Facts      // scratch
}

func newSide(source Source) (*side, error) {
	b := source.Bundle
	lowered := outcome.Lower(source.Policy, source.Catalogue)
	e, err := outcome.New(b, lowered)
	if err != nil {
		return nil, err
	}
	w, err := flowfacts.NewWorld(b)
	if err != nil {
		return nil, err
	}
	resolved, _ := resolve.Resolve(source.Policy, source.Catalogue) // it compiled
	s := &side{bundle: b, resolved: resolved, evaluator: e, world: w, known: map[string]bool{"": true}}
	for _, a := range b.Catalogue.Applications {
		s.known[a.Tag] = true
	}
	return s, nil
}

// given is what a search writes into a flow; the rest follows from it.
var given = map[string]bool{"detection_complete": true}

// of is what becomes of a flow on this side.
func (s *side) of(base *fact.Facts, at time.Time, netpold outcome.Netpold) (outcome.Outcome, error) {
	s.facts = *base
	if !s.known[s.facts.Application] {
		s.facts.Application = "" // this side has no such name for the flow
	}
	s.world.Derive(&s.facts, given)
	return s.evaluator.Begin().Next(outcome.Moment{Facts: &s.facts, Time: at, Netpold: netpold})
}

// Compare finds what differs in meaning between two policy sets. It stops early
// when ctx ends.
func Compare(ctx context.Context, before, after Source) (*Report, error) {
	b, err := newSide(before)
	if err != nil {
		return nil, fmt.Errorf("load old policies: %w", err)
	}
	a, err := newSide(after)
	if err != nil {
		return nil, fmt.Errorf("load new policies: %w", err)
	}
	c := &comparison{
		ctx: ctx, before: b, after: a, at: b.evaluator.Clock.Default(),
		report: &Report{Policies: align(b, a), Regions: []Region{}}, regions: map[string]*Region{},
	}
	if c.report.Policies == nil {
		c.report.Policies = []PolicyChange{}
	}
	if err := c.run(); err != nil {
		return nil, err
	}
	return c.report, nil
}

// comparison is one run of Compare.
type comparison struct {
	ctx           context.Context
	before, after *side
	report        *Report
	regions       map[string]*Region
	order         []string        // keys of regions, as found
	suspects      map[string]bool // policies whose change may matter
	times         []time.Time     // that differ in what the sides ask of the clock
	at            time.Time       // when flows are tried
	netpold       outcome.Netpold // and how netpold does
}

func (c *comparison) run() error {
	sameWorld := c.sameWorld()
	c.suspectNames()
	all, err := c.prove()
	if err != nil {
		return err
	}
	c.suspectNames() // prove has cleared some
	if (!all || !sameWorld) && (len(c.suspects) > 0 || !sameWorld) {
		if _, err = c.search(sameWorld); err != nil {
			return err
		}
		c.shownAfterAll()
	}
	if err := c.failures(); err != nil {
		return err
	}
	if err := c.probe(); err != nil {
		return err
	}
	c.finish(all && sameWorld)
	return c.ctx.Err()
}

// finish chooses the regions to list and says what the search was worth.
func (c *comparison) finish(proved bool) {
	r := c.report
	r.Complete = proved && c.sameCatalogue()
	r.FailuresTried = len(r.Policies) > 0 && (c.before.failsClosed() || c.after.failsClosed())
	all := make([]*Region, len(c.order))
	for i, key := range c.order {
		all[i] = c.regions[key]
	}
	slices.SortStableFunc(all, func(a, b *Region) int { return len(a.Witness) - len(b.Witness) })
	told := map[string]bool{}
	for _, region := range all {
		if len(r.Regions) == maxRegions || !region.tells(told) {
			r.More++
			continue
		}
		r.Regions = append(r.Regions, *region)
	}
	if b, a := c.before.bundle.Settings.AnalysedLabel, c.after.bundle.Settings.AnalysedLabel; b != a {
		r.Settings = append(r.Settings, SettingChange{Name: "analysed_label", Before: b, After: a})
	}
	switch {
	case len(r.Regions) > 0 || len(r.Settings) > 0:
		r.Result = Changed
	case r.Complete:
		r.Result = Equivalent
	default:
		r.Result = NotFound
	}
}

// tells reports whether a region shows something that told does not have yet:
// a changed policy that comes or goes, or a kind of effect that none of the
// region's policies has been seen to change. Changes that have nothing to do
// with each other, and other policies that match as well, combine to very many
// regions, of which few are worth reading.
func (r *Region) tells(told map[string]bool) bool {
	causes := r.Policies
	if len(causes) == 0 {
		causes = []string{r.Naming}
	}
	var fresh bool
	ways := make([]string, len(causes))
	for i, p := range causes {
		before, after := slices.Contains(r.Before.Policies, p), slices.Contains(r.After.Policies, p)
		ways[i] = fmt.Sprintf("%s %v %v", p, before, after)
		fresh = fresh || before != after && !told[ways[i]]
	}
	for _, kind := range r.kinds() {
		known := func(way string) bool { return told[way+" "+kind] }
		fresh = fresh || !slices.ContainsFunc(ways, known)
	}
	for _, way := range ways {
		told[way] = true
		for _, kind := range r.kinds() {
			told[way+" "+kind] = fresh || told[way+" "+kind]
		}
	}
	return fresh
}

// kinds are the effects that the region changes.
func (r *Region) kinds() []string {
	var out []string
	b, a := &r.Before, &r.After
	for _, l := range difference(b.Labels, a.Labels) {
		out = append(out, "label "+l)
	}
	if b.DSCP != a.DSCP {
		out = append(out, "dscp")
	}
	if b.Verdict != a.Verdict {
		out = append(out, "verdict")
	}
	if b.Mark != a.Mark || b.MarkMask != a.MarkMask {
		out = append(out, "mark")
	}
	if b.Priority != a.Priority {
		out = append(out, "priority")
	}
	if b.Route != a.Route {
		out = append(out, "route")
	}
	return append(out, difference(b.Also, a.Also)...)
}

// maxRegions bounds the regions that are listed; past that many, the list of
// changed policies says more.
const maxRegions = 50

// sameWorld reports whether both sides derive the same facts from a flow's
// attributes: what is local, and which names and categories there are.
func (c *comparison) sameWorld() bool {
	b, a := c.before.bundle, c.after.bundle
	return slices.Equal(b.Settings.LocalNetworks, a.Settings.LocalNetworks) &&
		reflect.DeepEqual(applications([]*artifact.Catalogue{&b.Catalogue}), applications([]*artifact.Catalogue{&a.Catalogue})) &&
		reflect.DeepEqual(protocols([]*artifact.Catalogue{&b.Catalogue}), protocols([]*artifact.Catalogue{&a.Catalogue}))
}

// sameCatalogue reports whether both sides give every flow the same name.
func (c *comparison) sameCatalogue() bool {
	b, a := c.before.bundle.Catalogue, c.after.bundle.Catalogue
	return reflect.DeepEqual(b.Applications, a.Applications) && reflect.DeepEqual(b.Protocols, a.Protocols)
}

// relevant are the policies that can have a say where a suspect has one: those
// with one of its labels, or an effect of one of its kinds.
func (c *comparison) relevant() map[string]bool {
	touched := map[string]bool{}
	each := func(visit func(*artifact.Policy)) {
		for _, s := range []*side{c.before, c.after} {
			for i := range s.bundle.Policies {
				visit(&s.bundle.Policies[i])
			}
		}
	}
	each(func(p *artifact.Policy) {
		if c.suspects[p.Name] {
			for _, d := range kindsOf(p) {
				touched[d] = true
			}
		}
	})
	out := map[string]bool{}
	each(func(p *artifact.Policy) {
		for _, d := range kindsOf(p) {
			if touched[d] {
				out[p.Name] = true
			}
		}
	})
	return out
}

// kindsOf are the kinds of effect that a policy has.
func kindsOf(p *artifact.Policy) []string {
	var out []string
	for _, l := range p.Labels {
		out = append(out, "label "+l)
	}
	if p.Mark != nil {
		out = append(out, "mark")
	}
	if p.DSCP != "" {
		out = append(out, "dscp")
	}
	if p.Verdict != "" {
		out = append(out, "verdict")
	}
	return append(out, p.Also...)
}
