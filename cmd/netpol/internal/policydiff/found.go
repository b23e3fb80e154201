package policydiff

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/flowfacts"
	"github.com/netpol/netpol/cmd/netpol/internal/outcome"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// found keeps a flow that the sides treat otherwise, once for each way.
func (c *comparison) found(f *fact.Facts) error {
	before, after, err := c.both(f)
	if err != nil || before.SameEffect(&after) {
		return err
	}
	key := c.key(&before, &after)
	if _, ok := c.regions[key]; ok {
		return nil
	}
	r := &Region{Netpold: netpoldText(c.netpold)}
	at := c.at
	if plain := c.before.evaluator.Clock.Default(); !at.Equal(plain) && c.still(f, plain, key) {
		at = plain
	} else if !at.Equal(plain) {
		r.Time = at.In(c.after.evaluator.Clock.Zone()).Format(time.RFC3339)
	}
	was := c.at
	c.at = at
	defer func() { c.at = was }()
	f = c.shortest(f, key)
	if r.Before, r.After, err = c.both(f); err != nil {
		return err
	}
	r.Witness, r.Policies = c.pairs(f), c.causes(&r.Before, &r.After)
	c.keep(key, r)
	return nil
}

func netpoldText(n outcome.Netpold) string {
	switch n {
	case outcome.Down:
		return "down"
	case outcome.Undecided:
		return "undecided"
	case outcome.Overloaded:
		return "overloaded"
	case outcome.Up:
	}
	return ""
}

// still reports whether the flow shows the same at another time.
func (c *comparison) still(f *fact.Facts, at time.Time, key string) bool {
	was := c.at
	defer func() { c.at = was }()
	c.at = at
	before, after, err := c.both(f)
	return err == nil && !before.SameEffect(&after) && c.key(&before, &after) == key
}

// shortest forgets of a flow what it need not be, so that it shows what
// matters. What follows from the rest goes first.
func (c *comparison) shortest(f *fact.Facts, key string) *fact.Facts {
	for _, derived := range []bool{true, false} {
		for _, a := range fact.Attributes {
			if (isDerived(a.Name) || isPartOfTotal(a)) != derived || a.Name == "detection_complete" {
				continue
			}
			g := *f
			field := reflect.ValueOf(&g).Elem().FieldByName(a.Field)
			if field.IsZero() {
				continue
			}
			field.SetZero()
			if c.still(&g, c.at, key) {
				f = &g
				continue
			}
			f = c.plainer(f, a, key)
		}
	}
	return f
}

// isPartOfTotal says that an attribute counts one side of what another counts
// of both.
func isPartOfTotal(a fact.Attribute) bool {
	return a.From == "conntrack" && a.Type == fact.Number && a.Name != "ct_mark" && !strings.HasPrefix(a.Name, "total_")
}

// plainer gives an attribute a value that people know, where it is as good.
func (c *comparison) plainer(f *fact.Facts, a fact.Attribute, key string) *fact.Facts {
	var values []any
	switch a.Type {
	case fact.Address:
		for _, h := range hosts {
			values = append(values, h)
		}
	case fact.Port:
		values = []any{443, 80, 40000}
	default:
	}
	was := reflect.ValueOf(f).Elem().FieldByName(a.Field).Interface()
	if slices.Contains(values, was) {
		return f
	}
	for _, v := range values {
		g := *f
		if addr, ok := v.(netip.Addr); ok && addr.Is4() != f.SrcIP.Is4() && addr.Is4() != f.DstIP.Is4() {
			continue
		}
		reflect.ValueOf(&g).Elem().FieldByName(a.Field).Set(reflect.ValueOf(v))
		if consistent(&g) && c.still(&g, c.at, key) {
			return &g
		}
	}
	return f
}

// pairs is a flow as the report shows it.
func (c *comparison) pairs(f *fact.Facts) []flowfacts.Pair {
	shown := *f
	shown.Complete = false
	v := reflect.ValueOf(&shown).Elem()
	for _, a := range fact.Attributes {
		if isDerived(a.Name) {
			v.FieldByName(a.Field).SetZero()
		}
	}
	out := flowfacts.Known(&shown)
	if !f.Complete {
		out = append(out, flowfacts.Pair{Name: "detection_complete", Value: "false"})
	}
	return out
}

// shownAfterAll forgets the changes without a flow that the search has found
// one of.
func (c *comparison) shownAfterAll() {
	shown := func(text string) bool {
		for _, d := range c.dimensions() {
			for _, key := range c.order {
				r := c.regions[key]
				for _, policy := range r.Policies {
					if text == unshownText(d, policy, d.of(&r.Before), d.of(&r.After)) {
						return true
					}
				}
			}
		}
		return false
	}
	c.report.Unshown = slices.DeleteFunc(c.report.Unshown, shown)
}

func unshownText(d dimension, policy, before, after string) string {
	return d.name + ": " + orNone(before) + " becomes " + orNone(after) + ", by " + policy
}

// failures compares what becomes of flows while netpold does not answer, or
// does not know them, where policies have changed in that.
func (c *comparison) failures() error {
	was := c.at
	defer func() { c.at, c.netpold = was, outcome.Up }()
	for _, change := range c.report.Policies {
		if !onFail(change) {
			continue
		}
		for _, t := range c.times {
			if err := c.failing(change.Name, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// failing tries flows of a policy at a time, while netpold does not answer and
// while it knows too little of them.
func (c *comparison) failing(policy string, at time.Time) error {
	c.at = at
	flows, err := c.flowsOf(policy)
	if err != nil {
		return err
	}
	for _, f := range flows {
		for _, n := range []outcome.Netpold{outcome.Down, outcome.Undecided, outcome.Overloaded} {
			if c.netpold = n; c.ctx.Err() != nil {
				return c.ctx.Err()
			}
			g := *f
			if n == outcome.Undecided { // so many packets that it has given up
				g.TotalPackets, g.SrcPackets, g.DstPackets = 2*c.before.bundle.Settings.InspectPacket+2*c.after.bundle.Settings.InspectPacket, 0, 0
			}
			if err := c.found(&g); err != nil {
				return err
			}
		}
	}
	return nil
}

// onFail reports whether a policy that has changed closes without netpold,
// before or after.
func onFail(p PolicyChange) bool {
	return p.Before != nil && closes(p.Before) || p.After != nil && closes(p.After)
}

// failsClosed reports whether any policy of the side closes without netpold.
func (s *side) failsClosed() bool {
	return slices.ContainsFunc(s.bundle.Policies, func(p artifact.Policy) bool { return closes(&p) })
}

// closes says that a policy's verdict comes in some case of failure.
func closes(p *artifact.Policy) bool { return p.OnFail != "" || p.OnOverload != "" }

// flowsOf are some flows that a policy of either side holds for now.
func (c *comparison) flowsOf(policy string) ([]*fact.Facts, error) {
	cat, ok := c.mergedCatalogue()
	if !ok {
		return nil, nil
	}
	var out []*fact.Facts
	for _, s := range []*side{c.before, c.after} {
		for i := range s.resolved.Policies {
			p := &s.resolved.Policies[i]
			if p.Name != policy {
				continue
			}
			var now fact.Facts
			if err := s.evaluator.Clock.Read(&now, c.at); err != nil {
				return nil, err
			}
			cond := atTime(p.Cond, &now)
			space := newSpace(cat, cond)
			for _, place := range space.PlausibleSamples(space.Region(cond), maxTries) {
				if f, ok := space.WitnessAt(place); ok {
					out = append(out, f)
				}
			}
		}
	}
	return out, nil
}
