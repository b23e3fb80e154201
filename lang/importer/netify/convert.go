package netify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/lang/importer"
)

// converter turns one string of criteria into netpol's.
type converter struct {
	im    *run
	value *value // the JSON string
	stmt  *statement
	// failed says that a part could not be converted; the text is a draft then,
	// with Netify's words in the place of that part.
	failed bool
	inside int // how many logics surround what is being converted
}

// criteria converts one string of criteria. ok is false after a mistake or
// something that cannot be converted; the draft is empty after a mistake.
func (r *run) criteria(v *value) (c importer.Condition, ok bool) {
	stmt, fault := parse(v.text)
	k := &converter{im: r, value: v, stmt: stmt}
	if fault != nil {
		id := importer.BadCriteria
		if fault.unknown {
			id = importer.UnknownAttribute
		}
		k.reportHint(id, fault.from, fault.to, fault.hint, "%s", fault.why)
		return importer.Condition{}, false
	}
	switch {
	case stmt.empty:
		k.report(importer.NeverMatches, 0, 0, "Empty criteria match no flow in Netify. The policy is switched off.")
		return importer.Fixed(false), true
	case stmt.all:
		return importer.Fixed(true), true
	}
	k.quirks()
	c = k.node(stmt.root)
	if c.Depth > importer.MaxNesting || len(c.Text) > maxCriteriaBytes {
		k.fail(importer.TooComplex, 0, len(stmt.text), "Written for netpol this nests deeper than %d parentheses or is longer than %d KiB. Split the action.", importer.MaxNesting, maxCriteriaBytes>>10)
		c = importer.Condition{}
	}
	return c, !k.failed
}

// report tells of a stretch of the criteria.
func (k *converter) report(id string, from, to int, format string, args ...any) {
	k.reportHint(id, from, to, "", format, args...)
}

func (k *converter) reportHint(id string, from, to int, hint, format string, args ...any) {
	k.im.add(importer.New(id, k.at(from, to), format, args...).WithHint(hint))
}

// once reports a thing the first time that it is met in the file.
func (k *converter) once(id, topic string, from, to int, format string, args ...any) {
	if key := id + topic; !k.im.told[key] {
		k.im.told[key] = true
		k.report(id, from, to, format, args...)
	}
}

// fail reports what cannot be converted.
func (k *converter) fail(id string, from, to int, format string, args ...any) {
	k.failHint(id, from, to, "", format, args...)
}

func (k *converter) failHint(id string, from, to int, hint, format string, args ...any) {
	k.failed = true
	k.reportHint(id, from, to, hint, format, args...)
}

// at is the place in the file of a stretch of the criteria.
func (k *converter) at(from, to int) diag.Range {
	src := k.im.in.Source
	if to <= from {
		return k.im.src.Range(k.value.from, k.value.to)
	}
	return k.im.src.Range(k.value.offset(src, from), k.value.offset(src, to))
}

// quirks reports what the grammar does that an author may not expect.
func (k *converter) quirks() {
	s := k.stmt
	if s.earlier > 0 {
		from, to := s.root.span()
		k.report(importer.LastStatementWins, from, to, "There are %d expressions, and the last decides alone: %s", s.earlier+1, importer.OneLine(s.text[from:to], 200))
	}
	for _, n := range s.mixed {
		from, to := n.span()
		k.report(importer.MixedOperators, from, to, "Netify gives && and || the same precedence and reads them from the right, so this means %s. netpol's parentheses say the same.",
			importer.OneLine(canonical(n, s.text), 500))
	}
	for _, f := range s.found {
		k.report(importer.AttributeSpelling, f.from, f.to, "The documentation has %s, the agents' grammar has %s. Taken as %s; the agents refuse it.", f.was, f.is, f.is)
	}
}

// node converts a condition.
func (k *converter) node(n node) importer.Condition {
	switch n := n.(type) {
	case *logic:
		k.inside++
		list := make([]importer.Condition, len(n.list))
		for i, e := range n.list {
			list[i] = k.node(e)
		}
		k.inside--
		if n.and {
			return importer.AllOf(list...)
		}
		return importer.AnyOf(list...)
	case *bare:
		return k.bare(n)
	case *compare:
		return k.compare(n)
	}
	panic("netify: unknown node")
}

// subject is a comparison on its way: Netify's attribute, netpol's, and the
// value.
type subject struct {
	*compare
	name string // of netpol's attribute, as it will be written
	fact fact.Attribute
}

// find gives netpol's attribute for one of Netify's.
func (k *converter) find(a attribute, from, to int) (string, fact.Attribute, bool) {
	if a.uncertain {
		k.once(importer.UncertainAttribute, a.name, from, to, "Not every agent has %s: it is known from a third-party copy of Netify 5.2 only.", a.name)
	}
	f, ok := a.fact()
	if !ok {
		k.fail(importer.NoAttribute, from, to, "netpol has no attribute for Netify's %s.", a.name)
		return a.name, f, false
	}
	if f.Name == "interface" {
		k.once(importer.InterfaceMeaning, "attribute", from, to, "In Netify this is the interface that the agent listens on, so a flow through the router may match on either side. netpol's interface is the one on which the flow's first packet arrived.")
	}
	k.im.perPacket = k.im.perPacket || f.Decided == fact.Packet
	if f.Decided == fact.Packet && f.From == "conntrack" {
		k.once(importer.Assumed, "packet "+a.name, from, to, "Netify asks for %s when it judges a flow; here a rule asks it of each packet, so the policy may begin to hold, or cease to, while a flow lives.", a.name)
	}
	if strings.HasSuffix(f.Name, "_rate") {
		k.once(importer.Assumed, a.name, from, to, "The unit of %s is not documented; taken as bytes a second.", a.name)
	}
	if g, ok := fact.Lookup(a.name); ok && g.Name == f.Name {
		return a.name, f, true // an alias is kept as it was written
	}
	return f.Name, f, true
}

// draft is Netify's own text, for what cannot be converted.
func (k *converter) draft(n node) importer.Condition {
	from, to := n.span()
	return importer.NewAtom(k.stmt.text[from:to])
}

// bare converts an attribute alone or after a !.
func (k *converter) bare(n *bare) importer.Condition {
	if n.not {
		k.unknownSide(n.from, n.to)
	}
	if n.attr.sides == bothSides {
		return k.bothBare(n)
	}
	if n.attr.isCategory() {
		k.fail(importer.NotConverted, n.from, n.to, "%s alone has no counterpart.", n.attr.name)
		return k.draft(n)
	}
	name, f, ok := k.find(n.attr, n.from, n.to)
	if !ok {
		return k.draft(n)
	}
	return known(name, f, !n.not)
}

// known is "the attribute has a value", or the opposite.
func known(name string, f fact.Attribute, is bool) importer.Condition {
	op := "!="
	if !is {
		op = "=="
	}
	switch f.Type {
	case fact.Flag:
		if is {
			return importer.NewAtom(name)
		}
		return importer.NewAtom("!" + name)
	case fact.Number, fact.Port, fact.TLSVersion:
		return importer.NewAtom(name + " " + op + " 0")
	default:
		return importer.NewAtom(name + " " + op + " ''")
	}
}

// bothBare converts an attribute that means either end.
func (k *converter) bothBare(n *bare) importer.Condition {
	list, ok := k.sides(n.attr, n.from, n.to)
	if !ok {
		return k.draft(n)
	}
	k.once(importer.Assumed, n.attr.name, n.from, n.to, "%s is taken to hold when either end's %s does.", n.attr.name, n.attr.name)
	for i := range list {
		list[i].text = known(list[i].name, list[i].fact, !n.not).Text
	}
	return importer.AnyOf(conditions(list)...)
}

// side is one end's attribute and the condition on it.
type side struct {
	name string
	fact fact.Attribute
	text string
}

func conditions(list []side) []importer.Condition {
	out := make([]importer.Condition, len(list))
	for i, s := range list {
		out[i] = importer.NewAtom(s.text)
	}
	return out
}

// sides are the local and the other end's attributes.
func (k *converter) sides(a attribute, from, to int) ([]side, bool) {
	var out []side
	for _, end := range []string{"local_", "other_"} {
		f, ok := fact.Lookup(end + a.name)
		if !ok {
			k.fail(importer.NoAttribute, from, to, "netpol has no attribute for Netify's %s.", a.name)
			return nil, false
		}
		out = append(out, side{name: f.Name, fact: f})
	}
	return out, true
}

// unknownSide tells once that negations differ while a side is not known.
func (k *converter) unknownSide(from, to int) {
	k.once(importer.UnknownSide, "", from, to, "While Netify does not know which side of a flow is local, all criteria are false, also negated ones. netpol always knows: the side that opened the flow is local where neither or both are in local_networks.")
}

// isCategory reports the attribute that looks at several categories.
func (a attribute) isCategory() bool { return a.as == "category" || a.name == "category" }

// compare converts a comparison.
func (k *converter) compare(n *compare) importer.Condition {
	if n.op == "!=" {
		k.unknownSide(n.from, n.to)
	}
	k.checkString(n)
	switch {
	case n.attr.sides == bothSides:
		return k.either(n)
	case n.attr.isCategory():
		return k.category(n)
	}
	name, f, ok := k.find(n.attr, n.from, n.to)
	if !ok {
		return k.draft(n)
	}
	return k.one(subject{n, name, f})
}

// one converts a comparison with one attribute.
func (k *converter) one(s subject) importer.Condition {
	switch s.value.kind {
	case tokenNumber:
		return k.number(s)
	case tokenBool:
		return k.flag(s)
	case tokenAddress, tokenGroup:
		return k.address(s)
	case tokenString:
		return k.text(s)
	case tokenRegex:
		return k.pattern(s)
	case tokenWord:
		return k.word(s)
	case tokenMAC:
		return k.mac(s)
	default:
		k.fail(importer.NotConverted, s.from, s.to, "netpol cannot compare %s with %s.", s.name, k.stmt.text[s.value.from:s.value.to])
		return k.draft(s.compare)
	}
}

// flag converts a comparison with true or false.
func (k *converter) flag(s subject) importer.Condition {
	if s.fact.Type != fact.Flag {
		return k.mismatch(s)
	}
	return known(s.name, s.fact, (s.value.text == "true") == (s.op == "=="))
}

// word converts a comparison with one of a few words.
func (k *converter) word(s subject) importer.Condition {
	if !slices.Contains(s.fact.Values, s.value.text) {
		k.fail(importer.NotConverted, s.from, s.to, "In netpol %s is never %s.", s.name, s.value.text)
		return k.draft(s.compare)
	}
	return importer.NewAtom(s.name + " " + s.op + " " + importer.QuoteText(s.value.text))
}

// mac converts a comparison with a hardware address.
func (k *converter) mac(s subject) importer.Condition {
	if s.fact.Type != fact.MAC {
		return k.mismatch(s)
	}
	return importer.NewAtom(s.name + " " + s.op + " " + importer.QuoteText(strings.ToLower(s.value.text)))
}

// mismatch reports an attribute that is of another type in netpol.
func (k *converter) mismatch(s subject) importer.Condition {
	k.fail(importer.NotConverted, s.from, s.to, "In netpol %s is a %s and cannot be compared with %s.", s.name, s.fact.Type, k.stmt.text[s.value.from:s.value.to])
	return k.draft(s.compare)
}

// either converts a comparison with both ends' addresses or ports.
func (k *converter) either(n *compare) importer.Condition {
	list, ok := k.sides(n.attr, n.from, n.to)
	if !ok {
		return k.draft(n)
	}
	parts := make([]importer.Condition, len(list))
	for i, s := range list {
		parts[i] = k.one(subject{n, s.name, s.fact})
	}
	switch {
	case n.op == "!=":
		k.report(importer.EitherDiffers, n.from, n.to, "This holds when either end differs, which is nearly always; the policy says the same. To leave an end out, write %s && %s.",
			fmt.Sprintf("local_%s != ...", n.attr.name), fmt.Sprintf("other_%s != ...", n.attr.name))
	case n.attr.class == classAddress:
		k.report(importer.LocalSideOnly, n.from, n.to, "Netify 5.2 compares the local side twice and the other side never. The policy does what the agent does; for both ends add || %s.", parts[1].Text)
		return parts[0]
	default:
		k.once(importer.Assumed, n.attr.name, n.from, n.to, "%s is taken to hold when either end's %s does.", n.attr.name, n.attr.name)
	}
	return importer.AnyOf(parts...)
}

// category converts category and cat, which look at several categories.
func (k *converter) category(n *compare) importer.Condition {
	var parts []importer.Condition
	var looks []string
	for _, name := range []string{"application_category", "domain_category"} {
		if f, ok := fact.Lookup(name); ok {
			parts = append(parts, k.one(subject{n, name, f}))
			if k.failed {
				return parts[0]
			}
			looks = append(looks, "the "+strings.TrimSuffix(name, "_category")+"'s")
		}
	}
	k.once(importer.CategoryNarrowed, "", n.from, n.to, "Netify's %s looks at the categories of the application and the domain, from 5.2 on also at those of networks and intelligence. The policy looks at %s.",
		n.attr.name, strings.Join(looks, " and "))
	if n.op == "!=" {
		k.report(importer.EitherDiffers, n.from, n.to, "In Netify %s != holds when any of the categories that it looks at differs, which is nearly always.", n.attr.name)
	}
	return importer.AnyOf(parts...)
}
