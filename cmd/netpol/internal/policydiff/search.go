package policydiff

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"

	"github.com/netpol/netpol/cmd/netpol/internal/flowfacts"
	"github.com/netpol/netpol/cmd/netpol/internal/outcome"
	"github.com/netpol/netpol/lang/fact"
)

const (
	// maxProduct is how many flows are enumerated at most: a second's work.
	maxProduct = 50_000
	// randomFlows are tried where not all can be.
	randomFlows = 20_000
	// clauseFlows are shared by the clauses of changed policies; each gets no
	// fewer than minClauseFlows and no more than maxClauseFlows.
	clauseFlows    = 60_000
	minClauseFlows = 20
	maxClauseFlows = 2_000
)

// keepMoves looks for policies of the same meaning that have changed places:
// align saw the place of unchanged ones only.
func (c *comparison) keepMoves() {
	where := map[string]int{}
	for i := range c.after.bundle.Policies {
		where[c.after.bundle.Policies[i].Name] = i
	}
	gone := map[string]bool{}
	for _, p := range c.report.Policies {
		gone[p.Name] = p.Kind != SameMeaning && p.Kind != Moved
	}
	var names []string
	var positions []int
	for i := range c.before.bundle.Policies {
		if name := c.before.bundle.Policies[i].Name; !gone[name] {
			names, positions = append(names, name), append(positions, where[name])
		}
	}
	for _, i := range outOfOrder(positions) {
		for j := range c.report.Policies {
			if p := &c.report.Policies[j]; p.Name == names[i] && p.Kind == SameMeaning {
				p.Kind = Moved
			}
		}
	}
}

// both asks both sides about a flow.
func (c *comparison) both(f *fact.Facts) (before, after outcome.Outcome, err error) {
	c.report.Tried++
	if before, err = c.before.of(f, c.at, c.netpold); err != nil {
		return before, after, err
	}
	after, err = c.after.of(f, c.at, c.netpold)
	return before, after, err
}

// productSize is how many flows the axes make, at most one more than
// maxProduct, and whether they stand for all flows.
func productSize(axes []axis) (size int, exact bool) {
	size, exact = 1, true
	for i := range axes {
		size = min(size*len(axes[i].values), maxProduct+1)
		exact = exact && axes[i].exact
	}
	return size, exact
}

// enumerate calls visit with every combination, the plainest first, until it
// says stop.
func (c *comparison) enumerate(axes []axis, visit func(*fact.Facts) (bool, error)) error {
	at := make([]int, len(axes))
	for n := 0; ; n++ {
		if n%1024 == 0 && c.ctx.Err() != nil {
			return c.ctx.Err()
		}
		f := assemble(axes, at)
		if consistent(f) {
			if on, err := visit(f); err != nil || !on {
				return err
			}
		}
		i := len(axes) - 1
		for ; i >= 0; i-- {
			if at[i]++; at[i] < len(axes[i].values) {
				break
			}
			at[i] = 0
		}
		if i < 0 {
			return nil
		}
	}
}

// assemble makes the flow that has the values of these indexes.
func assemble(axes []axis, at []int) *fact.Facts {
	f := &fact.Facts{Complete: true}
	v := reflect.ValueOf(f).Elem()
	for i := range axes {
		v.Field(axes[i].field).Set(axes[i].values[at[i]])
	}
	return f
}

// consistent leaves out flows that no packet can be of.
func consistent(f *fact.Facts) bool {
	return !f.SrcIP.IsValid() || !f.DstIP.IsValid() || f.SrcIP.Is4() == f.DstIP.Is4()
}

// search looks for flows that the sides treat otherwise. It reports whether
// all were tried.
func (c *comparison) search(sameWorld bool) (all bool, _ error) {
	var v vocabulary
	policies := c.relevant()
	if !sameWorld {
		policies = nil // any policy may be concerned
	}
	v.add(c.before.bundle, policies)
	v.add(c.after.bundle, policies)
	axes := v.axes(&c.before.bundle.Catalogue, &c.after.bundle.Catalogue)
	size, exact := productSize(axes)
	for i := range axes {
		if !axes[i].exact {
			c.report.Sampled = append(c.report.Sampled, axes[i].attr.Name)
		}
	}
	judge := func(f *fact.Facts) (bool, error) { return true, c.judge(axes, f) }
	if size <= maxProduct {
		return exact && slices.Equal(c.before.bundle.Settings.LocalNetworks, c.after.bundle.Settings.LocalNetworks), c.enumerate(axes, judge)
	}
	if err := c.byClauses(axes); err != nil {
		return false, err
	}
	return false, c.atRandom(axes)
}

// atRandom tries pairs of values on an otherwise plain flow, then flows of any
// values. The seed is fixed: the same sets give the same report.
func (c *comparison) atRandom(axes []axis) error {
	rng := rand.New(rand.NewPCG(1, 2))
	at := make([]int, len(axes))
	for n := range randomFlows {
		if n%1024 == 0 && c.ctx.Err() != nil {
			return c.ctx.Err()
		}
		clear(at)
		for _, i := range rng.Perm(len(axes))[:min(len(axes), 2+n%3)] {
			at[i] = rng.IntN(len(axes[i].values))
		}
		if n%4 == 3 {
			for i := range axes {
				at[i] = rng.IntN(len(axes[i].values))
			}
		}
		if err := c.judge(axes, assemble(axes, at)); err != nil {
			return err
		}
	}
	return nil
}

// judge compares what becomes of a flow and keeps it as a witness if that is a
// difference not seen yet.
func (c *comparison) judge(axes []axis, f *fact.Facts) error {
	if !consistent(f) {
		return nil
	}
	before, after, err := c.both(f)
	if err != nil || before.SameEffect(&after) {
		return err
	}
	key := c.key(&before, &after)
	if _, ok := c.regions[key]; ok {
		return nil
	}
	f = c.simplify(axes, f, key)
	if before, after, err = c.both(f); err != nil {
		return err
	}
	c.keep(key, &Region{Witness: c.witness(axes, f), Before: before, After: after, Policies: c.causes(&before, &after)})
	return nil
}

func (c *comparison) keep(key string, r *Region) {
	c.regions[key] = r
	c.order = append(c.order, key)
}

// key tells regions apart: what happened, what happens, and by whom.
func (c *comparison) key(before, after *outcome.Outcome) string {
	return before.Effect() + "\x00" + after.Effect() + "\x00" + strings.Join(c.causes(before, after), "\x00")
}

// causes are the changed policies that match on either side.
func (c *comparison) causes(before, after *outcome.Outcome) []string {
	out := []string{}
	for _, name := range slices.Concat(before.Policies, after.Policies) {
		if c.suspects[name] && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// simplify gives as many attributes as possible their plainest value, so that
// the witness shows what matters.
func (c *comparison) simplify(axes []axis, f *fact.Facts, key string) *fact.Facts {
	for i := range axes {
		g := *f
		field := reflect.ValueOf(&g).Elem().Field(axes[i].field)
		if field.Equal(axes[i].values[0]) {
			continue
		}
		field.Set(axes[i].values[0])
		if !consistent(&g) {
			continue
		}
		if before, after, err := c.both(&g); err == nil && !before.SameEffect(&after) && c.key(&before, &after) == key {
			f = &g
		}
	}
	return f
}

// witness is a flow as the report shows it, without what stands for "anything
// else".
func (c *comparison) witness(axes []axis, f *fact.Facts) []flowfacts.Pair {
	shown := *f
	v := reflect.ValueOf(&shown).Elem()
	for i := range axes {
		if field := v.Field(axes[i].field); axes[i].hidePlain && field.Equal(axes[i].values[0]) {
			field.SetZero()
		}
	}
	shown.Complete = false
	pairs := flowfacts.Known(&shown)
	if !f.Complete {
		pairs = append(pairs, flowfacts.Pair{Name: "detection_complete", Value: "false"})
	}
	for i := range axes {
		if axes[i].values[0].Kind() == reflect.Int && v.Field(axes[i].field).IsZero() && c.needsZero(&axes[i], f) {
			pairs = append(pairs, flowfacts.Pair{Name: axes[i].attr.Name, Value: "0"})
		}
	}
	return pairs
}

// needsZero reports whether the difference is there only while a number is not
// known.
func (c *comparison) needsZero(a *axis, f *fact.Facts) bool {
	for _, value := range a.values[1:] {
		g := *f
		reflect.ValueOf(&g).Elem().Field(a.field).Set(value)
		if before, after, err := c.both(&g); err == nil && !before.SameEffect(&after) {
			return false
		}
	}
	return true
}
