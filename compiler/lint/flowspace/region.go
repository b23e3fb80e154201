package flowspace

import (
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/bdd"
)

// Region is a set of flows.
type Region struct {
	node   bdd.Node
	groups groups // that the region asks about
}

// ID is the same for two regions of one Space, both gone through Possible, iff
// they are the same flows.
func (r Region) ID() int { return int(r.node) }

// All is every flow.
func All() Region { return Region{node: bdd.True} }

// None is no flow.
func None() Region { return Region{node: bdd.False} }

// Region is the flows that a condition holds for.
func (s *Space) Region(e ir.Expr) Region {
	if r, ok := s.regions[e]; ok {
		return r
	}
	r := s.region(e)
	if !s.b.Overflowed() {
		s.regions[e] = r
		s.recent = append(s.recent, e)
	}
	return r
}

func (s *Space) region(e ir.Expr) Region {
	switch e := e.(type) {
	case *ir.And:
		return s.joined(e.List, s.And)
	case *ir.Or:
		return s.joined(e.List, s.Or)
	case *ir.Not:
		return s.Not(s.Region(e.X))
	case *ir.Const:
		if e.Value {
			return All()
		}
		return None()
	case *ir.Compare:
		return s.compare(e)
	case *ir.Residual:
		return Region{node: s.b.Var(s.flag("residual " + e.Source))}
	default:
		// Whatever else a condition may become is true or false on its own.
		return Region{node: s.b.Var(s.flag("other " + ir.Dump(e)))}
	}
}

// joined joins pairs of neighbours until one is left, which keeps the parts of
// a long list small.
func (s *Space) joined(list []ir.Expr, join func(a, b Region) Region) Region {
	parts := make([]Region, len(list))
	for i, e := range list {
		parts[i] = s.Region(e)
	}
	for len(parts) > 1 {
		var next []Region
		for i := 0; i+1 < len(parts); i += 2 {
			next = append(next, join(parts[i], parts[i+1]))
		}
		if len(parts)%2 == 1 {
			next = append(next, parts[len(parts)-1])
		}
		parts = next
	}
	return parts[0]
}

// And is the flows in both.
func (s *Space) And(a, b Region) Region {
	return Region{s.b.And(a.node, b.node), a.groups | b.groups}
}

// Or is the flows in either.
func (s *Space) Or(a, b Region) Region {
	return Region{s.b.Or(a.node, b.node), a.groups | b.groups}
}

// Diff is the flows in a and not in b.
func (s *Space) Diff(a, b Region) Region {
	return Region{s.b.Diff(a.node, b.node), a.groups | b.groups}
}

// Not is the flows outside of a.
func (s *Space) Not(a Region) Region { return Region{s.b.Not(a.node), a.groups} }

func (s *Space) compare(c *ir.Compare) Region {
	name := c.Attr.Name
	switch kindOf(c) {
	case kindName:
		return Region{s.named(name, c.Strings), groupNames}
	case kindPort:
		return Region{s.within(s.columns[name], s.ports.in(c.Ranges)), groupTuple}
	case kindNumber:
		return Region{s.within(s.columns[name], s.numbers[name].in(c.Ranges)), numberGroup(name)}
	case kindAddress:
		return Region{s.within(s.columns[name], s.addresses.in(c.Prefixes)), groupTuple}
	case kindWeekday:
		return s.onWeekdays(c.Strings)
	case kindSchedule:
		return s.scheduled(c)
	case kindTally:
		t, _ := tallyOf(name)
		return Region{s.within(s.columns[name], s.tallied[t.names[0]].in(c.Ranges)), groupTally}
	case kindText:
		return s.textual(s.texts[name], c)
	case kindList:
		return s.elements(c)
	case kindFlag:
		g := groups(0)
		if name == "detection_guessed" {
			g = groupNames
		}
		return Region{s.b.Var(s.flag(name)), g}
	case kindFree:
	}
	return Region{node: s.b.Var(s.flag(c.String()))}
}

// numberGroup is the group of a number that others depend on.
func numberGroup(name string) groups {
	switch name {
	case "ip_version":
		return groupTuple
	case "time_of_day":
		return groupClock
	}
	return 0
}

// named is the flows whose name or category is one of some.
func (s *Space) named(attr string, list []string) bdd.Node {
	switch attr {
	case "application":
		return s.within(s.columns["application"], intervals(s.applications.tagged(list)))
	case "protocol":
		return s.within(s.columns["protocol"], intervals(s.protocols.tagged(list)))
	case "brand":
		return s.within(s.columns["application"], intervals(s.applications.branded(list)))
	case "application_category":
		return s.within(s.columns["application"], intervals(s.applications.categorised(list)))
	case "protocol_category":
		return s.within(s.columns["protocol"], intervals(s.protocols.categorised(list)))
	}
	// category: the application's, or the protocol's where that is empty.
	var known []string
	empty := bdd.False
	for _, c := range list {
		if c != "" {
			known = append(known, c)
		}
	}
	if len(known) < len(list) {
		empty = s.named("protocol_category", []string{""})
	}
	app := s.named("application_category", known)
	none := s.named("application_category", []string{""})
	proto := s.b.Or(s.named("protocol_category", known), empty)
	return s.b.Or(app, s.b.And(none, proto))
}

// textual is the flows whose text passes a comparison with any constant.
func (s *Space) textual(t *text, c *ir.Compare) Region {
	r := bdd.False
	var classes []bdd.Interval
	for _, str := range c.Strings {
		op, value := plain(t.attr, c.Op, str)
		if in, ok := t.in(op, value); ok {
			classes = append(classes, in...)
			continue
		}
		r = s.b.Or(r, s.patterned(t, op, value))
	}
	r = s.b.Or(r, s.within(s.columns[t.attr.Name], merge(classes)))
	g := t.group
	if t.attr.Name == "by" {
		g |= groupNames
	}
	return Region{r, g}
}

// patterned is the flows whose text starts with, contains or matches a constant.
func (s *Space) patterned(t *text, op ir.Op, value string) bdd.Node {
	if op == ir.OpStartsWith {
		if value == "" {
			return bdd.True
		}
		return s.within(&t.starts, []bdd.Interval{t.startingWith(value)})
	}
	for _, p := range t.patterns {
		if p.op == op && p.value == value {
			return s.b.Var(p.level)
		}
	}
	return s.b.Var(s.flag(t.attr.Name + " " + op.String() + " " + value))
}

// elements is the flows whose list has any of some elements; the empty string
// asks for the empty list.
func (s *Space) elements(c *ir.Compare) Region {
	r := bdd.False
	for _, str := range c.Strings {
		r = s.b.Or(r, s.element(c.Attr.Name, str))
	}
	return Region{node: r}
}

func (s *Space) element(attr, value string) bdd.Node {
	if value != "" {
		// A list with elements is not empty, so one variable says both.
		return s.b.And(s.b.Var(s.flag(attr)), s.b.Var(s.flag(attr+" has "+value)))
	}
	return s.b.Not(s.b.Var(s.flag(attr)))
}

// Onto is the region as far as one attribute tells: everything else forgotten.
func (s *Space) Onto(r Region, attribute string) Region {
	keep := make([]bool, s.levels+len(s.flags))
	for _, l := range s.levelsOf(attribute) {
		keep[l] = true
	}
	return Region{s.b.Exists(r.node, s.others(keep)), r.groups}
}

// OntoAll is Onto for several attributes together.
func (s *Space) OntoAll(r Region, attributes []string) Region {
	keep := make([]bool, s.levels+len(s.flags))
	for _, a := range attributes {
		for _, l := range s.levelsOf(a) {
			keep[l] = true
		}
	}
	return Region{s.b.Exists(r.node, s.others(keep)), r.groups}
}

// others is the conjunction of every variable that is not kept, as Exists
// wants it.
func (s *Space) others(keep []bool) bdd.Node {
	vars := bdd.True
	for l := s.levels - 1; l > 0; l-- {
		if !keep[l] {
			vars = s.b.Make(l, bdd.False, vars)
		}
	}
	return vars
}

// levelsOf lists the variables that tell of an attribute. Categories are told
// by the names.
func (s *Space) levelsOf(attribute string) []int {
	var out []int
	add := func(name string) {
		if c := s.columns[name]; c != nil {
			out = append(out, c.levels...)
		}
	}
	switch attribute {
	case "application_category", "brand":
		add("application")
	case "protocol_category":
		add("protocol")
	case "category":
		add("application")
		add("protocol")
	default:
		add(attribute)
	}
	if t := s.texts[attribute]; t != nil {
		out = append(out, t.starts.levels...)
	}
	for key, level := range s.flags {
		if name, _, _ := strings.Cut(key, " "); name == attribute {
			out = append(out, level)
		}
	}
	return out
}

// Opened is the flows that the local side opened, where conditions can tell.
func (s *Space) Opened() Region {
	if s.orientation == 0 {
		return All()
	}
	return Region{s.b.Var(s.orientation), groupTuple}
}
