package policydiff

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/flowspace"
	"github.com/netpol/netpol/lang/fact"
)

const (
	// questionNodes bounds what one question may cost, half a second.
	questionNodes = 1 << 20
	// maxQuestions bounds how many there are.
	maxQuestions = 4000
	// maxTries bounds the flows that are tried for one region.
	maxTries = 6
)

// prover compares the sides as sets of flows: for each effect, at each time
// that tells them apart, the flows to which one does this and the other that.
type prover struct {
	c         *comparison
	space     *flowspace.Space
	now       time.Time
	facts     [2]fact.Facts    // what the sides' clocks say now
	changed   []string         // policies that may matter
	oversized flowspace.Region // more bytes than so few packets can hold
	unshown   []string         // kinds of change without a flow that shows them
	questions int
	bounded   bool // some question had no answer
}

// prove finds a flow for each kind of change. It reports whether what it found
// is all there is.
func (c *comparison) prove() (all bool, err error) {
	cat, ok := c.mergedCatalogue()
	if !ok {
		return false, nil
	}
	instants, all, err := c.instants()
	if err != nil {
		return false, err
	}
	c.times = instants
	p := &prover{c: c}
	p.space = newSpace(cat, p.conditions(instants)...)
	if !p.space.Fits() {
		return false, nil
	}
	if err := p.sameMeanings(instants); err != nil {
		return false, err
	}
	p.changed = c.suspectNames()
	p.oversized = p.moreThanFits()
	for _, t := range instants {
		if err := p.at(t); err != nil {
			return false, err
		}
		for _, d := range c.dimensions() {
			if err := p.compare(d); err != nil || c.ctx.Err() != nil {
				return false, err
			}
		}
	}
	c.at = instants[0]
	c.report.Unshown = p.unshown
	return all && !p.bounded && len(p.unshown) == 0, nil
}

// conditions are all that the space must tell apart.
func (p *prover) conditions(instants []time.Time) []ir.Expr {
	var out []ir.Expr
	for _, s := range []*side{p.c.before, p.c.after} {
		for _, t := range instants {
			var f fact.Facts
			_ = s.evaluator.Clock.Read(&f, t) // instants has read it
			for i := range s.resolved.Policies {
				out = append(out, atTime(s.resolved.Policies[i].Cond, &f))
			}
		}
	}
	return out
}

// at goes to a time.
func (p *prover) at(t time.Time) error {
	p.now, p.c.at = t, t
	for i, s := range []*side{p.c.before, p.c.after} {
		if err := s.evaluator.Clock.Read(&p.facts[i], t); err != nil {
			return err
		}
	}
	return nil
}

// region is where a policy of a side holds now.
func (p *prover) region(side int, policy *ir.Policy) flowspace.Region {
	return p.space.Region(atTime(policy.Cond, &p.facts[side]))
}

// sides are the policies of both.
func (p *prover) sides() [2][]ir.Policy {
	return [2][]ir.Policy{p.c.before.resolved.Policies, p.c.after.resolved.Policies}
}

// sameMeanings looks at the policies that are written otherwise and do the
// same: where they hold for the same flows at all times, only words changed.
func (p *prover) sameMeanings(instants []time.Time) error {
	for i := range p.c.report.Policies {
		change := &p.c.report.Policies[i]
		if change.Kind != Modified || !sameEffects(change.Before, change.After) {
			continue
		}
		same := true
		for _, t := range instants {
			if err := p.at(t); err != nil {
				return err
			}
			fits := p.space.Try(questionNodes, func() {
				var holds [2]flowspace.Region
				for side, list := range p.sides() {
					if at := slices.IndexFunc(list, func(x ir.Policy) bool { return x.Name == change.Name }); at >= 0 {
						holds[side] = p.region(side, &list[at])
					}
				}
				same = same && p.space.Empty(p.space.Diff(holds[0], holds[1])) && p.space.Empty(p.space.Diff(holds[1], holds[0]))
			})
			same = same && fits
		}
		if same {
			change.Kind = SameMeaning
		}
	}
	p.c.keepMoves()
	return nil
}

// valued is where a side gives an effect one value.
type valued struct {
	value string // empty for none
	where flowspace.Region
}

// values are those of a dimension among flows in within: the first policy that
// holds and has a wish decides.
func (p *prover) values(side int, d dimension, within flowspace.Region) []valued {
	rest := within
	var out []valued
	list := p.sides()[side]
	for i := range list {
		value, ok := d.wish(&list[i])
		if !ok || list[i].Audit {
			continue
		}
		holds := p.region(side, &list[i])
		here := p.space.And(rest, holds)
		if at := slices.IndexFunc(out, func(v valued) bool { return v.value == value }); at >= 0 {
			out[at].where = p.space.Or(out[at].where, here)
		} else {
			out = append(out, valued{value, here})
		}
		rest = p.space.Diff(rest, holds)
	}
	return append(out, valued{"", rest})
}

// compare asks, for each policy that has changed, which flows of its own get
// another value now than before.
func (p *prover) compare(d dimension) error {
	for _, name := range p.changed {
		if d.used && p.c.ownChanged(name) {
			continue
		}
		if p.questions++; p.questions > maxQuestions {
			p.bounded = true
			return nil
		}
		var err error
		fits := p.space.Try(questionNodes, func() {
			own := flowspace.None()
			for side, list := range p.sides() {
				for i := range list {
					if list[i].Name == name {
						own = p.space.Or(own, p.region(side, &list[i]))
					}
				}
			}
			own = p.space.Diff(p.space.Possible(own), p.oversized)
			before, after := p.values(0, d, own), p.values(1, d, own)
			for _, b := range before {
				for _, a := range after {
					if where := p.space.And(b.where, a.where); err == nil && a.value != b.value && !p.space.Empty(where) {
						err = p.show(d, name, b.value, a.value, where)
					}
				}
			}
		})
		if err != nil {
			return err
		}
		p.bounded = p.bounded || !fits
	}
	return nil
}

// show finds a flow of the region and has both sides run it.
func (p *prover) show(d dimension, policy, before, after string, where flowspace.Region) error {
	if !p.space.Fits() {
		return nil // the answer cannot be trusted, and compare says so
	}
	places := append(p.space.PlausibleSamples(where, maxTries), p.space.Samples(where, maxTries)...)
	for _, place := range places {
		f, ok := p.space.WitnessAt(place)
		if !ok {
			continue
		}
		f.Complete = true
		b, a, err := p.c.both(f)
		if err != nil {
			return err
		}
		if d.of(&b) == before && d.of(&a) == after {
			return p.c.found(f)
		}
	}
	text := unshownText(d, policy, before, after)
	if !slices.Contains(p.unshown, text) {
		p.unshown = append(p.unshown, text)
	}
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// suspectNames are the policies whose change may matter.
func (c *comparison) suspectNames() []string {
	c.suspects = map[string]bool{}
	var out []string
	for _, p := range c.report.Policies {
		if p.Kind != SameMeaning && !c.suspects[p.Name] {
			c.suspects[p.Name] = true
			out = append(out, p.Name)
		}
	}
	return out
}

// mergedCatalogue has the names of both sides; false where a name has another
// category on each.
func (c *comparison) mergedCatalogue() (*artifact.Catalogue, bool) {
	b, a := &c.before.bundle.Catalogue, &c.after.bundle.Catalogue
	out := *a
	var apps, protocols bool
	out.Applications, apps = merged(b.Applications, a.Applications, func(x artifact.Application) (string, string) { return x.Tag, x.Category })
	out.Protocols, protocols = merged(b.Protocols, a.Protocols, func(x artifact.Protocol) (string, string) { return x.Tag, x.Category })
	if !apps || !protocols {
		return nil, false
	}
	return &out, true
}

// merged is what either list has, by tag; false where both have a tag with
// another category. names gives tag and category.
func merged[T any](before, after []T, names func(T) (tag, category string)) ([]T, bool) {
	out := slices.Clone(after)
	for _, x := range before {
		tag, category := names(x)
		at, ok := slices.BinarySearchFunc(after, tag, func(y T, tag string) int {
			other, _ := names(y)
			return strings.Compare(other, tag)
		})
		if !ok {
			out = append(out, x)
		} else if _, other := names(after[at]); other != category {
			return nil, false
		}
	}
	slices.SortFunc(out, func(x, y T) int {
		a, _ := names(x)
		b, _ := names(y)
		return strings.Compare(a, b)
	})
	return out, true
}

// maxPacket is how many bytes the kernel counts as one packet at most, where
// its interfaces merge segments: GRO_MAX_SIZE of linux/netdevice.h.
const maxPacket = 8 * 65535

// moreThanFits are the flows with more bytes than their packets can hold, as
// far as conditions tell.
func (p *prover) moreThanFits() flowspace.Region {
	out := flowspace.None()
	for _, side := range []string{"total", "src", "dst", "local", "other"} {
		bytes, packets := p.comparisons(side+"_bytes"), p.comparisons(side+"_packets")
		for _, b := range bytes {
			for _, r := range b.Ranges {
				for _, k := range packets {
					for _, few := range edges(k.Ranges) {
						if r.Low <= few*maxPacket {
							continue
						}
						many := *b
						many.Ranges = []ir.Interval{{Low: r.Low, High: math.MaxInt}}
						low := *k
						low.Ranges = []ir.Interval{{Low: 0, High: few}}
						out = p.space.Or(out, p.space.And(p.space.Region(&many), p.space.Region(&low)))
					}
				}
			}
		}
	}
	return out
}

// edges are the counts after which a comparison says otherwise.
func edges(ranges []ir.Interval) []int {
	var out []int
	for _, r := range ranges {
		out = append(out, r.Low-1, r.High)
	}
	return slices.DeleteFunc(out, func(n int) bool { return n <= 0 || n > math.MaxInt/maxPacket })
}

// comparisons are all those of an attribute.
func (p *prover) comparisons(attribute string) []*ir.Compare {
	var out []*ir.Compare
	for _, list := range p.sides() {
		for i := range list {
			ir.Walk(list[i].Cond, func(e ir.Expr) {
				if c, ok := e.(*ir.Compare); ok && c.Attr.Name == attribute {
					out = append(out, c)
				}
			})
		}
	}
	return out
}

// newSpace is the space of conditions that ask nothing of the time.
func newSpace(cat *artifact.Catalogue, conditions ...ir.Expr) *flowspace.Space {
	return flowspace.New(cat, conditions...)
}
