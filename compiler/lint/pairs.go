package lint

import (
	"math/bits"
	"slices"

	"github.com/netpol/netpol/compiler/lint/flowspace"
)

// Work is bounded by steps of the diagrams, so that a set gives the same findings
// on every machine. A rule that runs out of them stops, and the result says what
// it has not looked at.
const (
	leastWork  = 40 << 20 // for each rule: about half a second (measured 2026-11)
	policyWork = 6 << 10  // and for each policy
)

// work is what each rule may do.
func (a *analysis) work() int { return leastWork + policyWork*len(a.cases) }

// pairs finds the policies that a policy has to be held against.
type pairs struct {
	// byDimension lists the policies with an effect of a dimension, in order:
	// those that are proven and that some flow can match.
	byDimension map[string][]int
	scratch     []int
}

// index prepares the pairing of policies.
func (a *analysis) index() {
	a.pairs.byDimension = map[string][]int{}
	first := map[int][]int{} // by region
	for i, c := range a.cases {
		c.twin = -1
		if !c.proven || c.never {
			continue
		}
		c.foot = a.space.Footprint(c.possible)
		for _, j := range first[c.possible.ID()] {
			if len(c.effects) > 0 && sameEffects(a.cases[j].policy, c.policy) {
				c.twin = j
				break
			}
		}
		if c.twin < 0 && len(c.effects) > 0 {
			first[c.possible.ID()] = append(first[c.possible.ID()], i)
		}
		for n, e := range c.effects {
			if !slices.ContainsFunc(c.effects[:n], func(o effect) bool { return o.dimension == e.dimension }) {
				a.pairs.byDimension[e.dimension] = append(a.pairs.byDimension[e.dimension], i)
			}
		}
	}
}

// earlier lists the policies before i that have an effect of a dimension.
func (a *analysis) earlier(i int, dimension string) []int {
	list := a.pairs.byDimension[dimension]
	n, _ := slices.BinarySearch(list, i)
	a.space.Spend(n)
	return list[:n]
}

// apart says that no flow matches both of two policies, as far as that can be
// seen at a glance.
func (c *policyCase) apart(o *policyCase) bool { return c.foot.Apart(o.foot) }

// aboutBits is the set of the attributes that a policy has conditions about, as
// a word: 64 attributes are more than one set asks for; those that share a bit
// are looked at more closely than they need.
func (a *analysis) aboutBits(c *policyCase) uint64 {
	var out uint64
	for name := range c.about {
		n, ok := a.attributeBit[name]
		if !ok {
			n = len(a.attributeBit)
			a.attributeBit[name] = n
		}
		out |= bits.RotateLeft64(1, n)
	}
	return out
}

// decided says that one of some policies, in order, decides an effect at a
// place.
func (a *analysis) decided(p flowspace.Place, list []int, e effect) bool {
	for _, j := range list {
		o := a.cases[j]
		if a.space.Inside(p, o.region) && o.decides(e) {
			return true
		}
	}
	return false
}

// decides says that where the policy matches, it leaves nothing of an effect to
// later ones.
func (c *policyCase) decides(e effect) bool {
	return slices.ContainsFunc(c.effects, func(x effect) bool { return x.decides(e) })
}

// tired says that the rule has used up its work; the pairs of policies that it
// would have looked at next are counted.
func (a *analysis) tired(pairs int) bool {
	if a.space.Fits() {
		return false
	}
	a.skipped += pairs
	return true
}
