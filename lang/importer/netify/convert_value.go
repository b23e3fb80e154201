package netify

import (
	"errors"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/lang/importer"
	"github.com/netpol/netpol/lang/suggest"
)

// Sizes of the agents' string buffers, the final zero included.
const (
	buffer4 = 64
	buffer5 = 256
)

// checkString reports strings and regular expressions that some agents read
// differently.
func (k *converter) checkString(n *compare) {
	v := n.value
	if v.kind != tokenString && v.kind != tokenRegex {
		return
	}
	inner := v.to - v.from - 2
	switch {
	case inner >= buffer5:
		k.report(importer.LongString, v.from, v.to, "The string is %d long; the agents keep %d characters, those before version 5 %d.", inner, buffer5-1, buffer4-1)
	case inner >= buffer4:
		k.report(importer.LongString, v.from, v.to, "The string is %d long; agents before version 5 keep %d characters.", inner, buffer4-1)
	}
	if n.attr.name == "risks" && k.inside > 0 {
		k.report(importer.RiskInCompound, n.from, n.to, "Agents before 5.2 forget the outcome of risks inside larger criteria.")
	}
	if v.kind != tokenRegex {
		return
	}
	if strings.ContainsAny(k.stmt.text[v.to:], `'"`) {
		k.report(importer.GreedyRegex, v.from, v.to, "Agents before 5.2 read a regular expression up to the last quote of the criteria, so what follows belongs to the pattern. The policy ends it here.")
	}
	if n.op == "!=" {
		k.report(importer.NegatedRegex, n.from, n.to, "Agents before 5.2 take != 'rx:...' as true, whatever the text. The policy negates the match.")
	}
	if i := strings.IndexAny(v.text, "|?,}"); i >= 0 {
		k.report(importer.RegexCharset, v.from, v.to, "Netify 5.2 refuses the character %q in a regular expression.", v.text[i])
	}
}

// text converts a comparison with a string.
func (k *converter) text(s subject) importer.Condition {
	v := s.value.text
	switch s.fact.Type {
	case fact.ApplicationName, fact.ProtocolName, fact.CategoryName, fact.BrandName:
		return k.name(s)
	case fact.Hostname:
		if name, fault := lang.ParseDomain(v); fault.Code == "" && !strings.HasSuffix(v, ".") {
			return importer.NewAtom(s.name + " " + s.op + " " + importer.QuoteText(name))
		}
		// No DNS name, so == would be refused; the pattern says the same.
		return matches(s.name, "^"+regexp.QuoteMeta(v)+"$", s.op == "==")
	case fact.Text, fact.TextList, fact.InterfaceName:
		if isInterface(s.fact) {
			return k.interfaceName(s)
		}
		if s.fact.Values != nil && !slices.Contains(s.fact.Values, strings.ToLower(v)) {
			k.failHint(importer.UnknownName, s.value.from, s.value.to, suggest.Hint(strings.ToLower(v), s.fact.Values), "In netpol %s is never '%s'.", s.name, v)
		}
		return importer.NewAtom(s.name + " " + s.op + " " + importer.QuoteText(strings.ToLower(v)))
	default:
		return k.mismatch(s)
	}
}

// isInterface reports attributes that the kernel compares byte by byte.
func isInterface(f fact.Attribute) bool {
	return f.Type == fact.InterfaceName || f.Type == fact.Text && f.Decided == fact.Kernel
}

// interfaceName converts a comparison with an interface's name.
func (k *converter) interfaceName(s subject) importer.Condition {
	v := s.value.text
	if !validInterface(v) {
		k.constant(s, s.op == "!=")
		return importer.Fixed(s.op == "!=")
	}
	if v != strings.ToLower(v) {
		k.report(importer.InterfaceMeaning, s.value.from, s.value.to, "Netify ignores case in the name of an interface; the kernel and netpol do not.")
	}
	return importer.NewAtom(s.name + " " + s.op + " " + importer.QuoteText(v))
}

// validInterface reports names that an interface can have (dev_valid_name in
// net/core/dev.c; IFNAMSIZ is 16 with the final zero).
func validInterface(s string) bool {
	return s != "" && len(s) <= 15 && s != "." && s != ".." && !strings.ContainsAny(s, "/: \t\r\n\v\f")
}

// constant reports a comparison that no flow changes.
func (k *converter) constant(s subject, value bool) {
	if value {
		k.report(importer.AlwaysMatches, s.from, s.to, "This holds for every flow: %s can have no such value.", s.attr.name)
		return
	}
	k.report(importer.NeverMatches, s.from, s.to, "This holds for no flow: %s can have no such value.", s.attr.name)
}

// name converts a comparison with an application, protocol or category.
func (k *converter) name(s subject) importer.Condition {
	v := strings.ToLower(s.value.text)
	if s.fact.Type == fact.ApplicationName {
		v = strings.TrimPrefix(v, "netify.")
	}
	tag, hint, ok := k.im.in.Names.Find(s.fact.Type, v)
	if !ok {
		noun := map[fact.Type]string{fact.ApplicationName: "application", fact.ProtocolName: "protocol", fact.CategoryName: "category"}[s.fact.Type]
		if v == "unknown" || v == "unclassified" {
			hint = "write " + s.name + " " + s.op + " '', the empty name of what is not known"
		}
		k.failHint(importer.UnknownName, s.value.from, s.value.to, hint, "netpol's catalogue has no %s '%s'.", noun, v)
		tag = v
	}
	return importer.NewAtom(s.name + " " + s.op + " " + importer.QuoteText(tag))
}

// pattern converts a comparison with a regular expression.
func (k *converter) pattern(s subject) importer.Condition {
	v := s.value
	if s.fact.Type != fact.Hostname && s.fact.Type != fact.Text {
		k.fail(importer.NoRegex, s.from, s.to, "In netpol %s is a %s, which has no regular expressions.", s.name, s.fact.Type)
		return k.draft(s.compare)
	}
	re2, notes, err := importer.ToRE2(v.text)
	for _, note := range notes {
		k.report(importer.RegexDiffers, v.from, v.to, "The pattern is POSIX in Netify and RE2 in netpol: %s.", note)
	}
	switch {
	case errors.Is(err, importer.ErrNoRE2):
		k.fail(importer.NoRegex, v.from, v.to, "The pattern is POSIX in Netify and RE2 in netpol: it %v.", err)
		return k.draft(s.compare)
	case err != nil:
		k.fail(importer.BadCriteria, v.from, v.to, "The regular expression cannot be read: %v.", err)
		return k.draft(s.compare)
	}
	if isInterface(s.fact) {
		re2 = "(?i)" + re2
	}
	return matches(s.name, re2, s.op == "==")
}

// matches is "the attribute matches the pattern", or the opposite.
func matches(name, pattern string, is bool) importer.Condition {
	c := importer.NewAtom(name + " matches " + importer.QuoteText(pattern))
	if !is {
		return importer.Not(c)
	}
	return c
}

// address converts a comparison with an address, CIDR block or group.
func (k *converter) address(s subject) importer.Condition {
	if s.fact.Type != fact.Address {
		return k.mismatch(s)
	}
	in := map[string]string{"==": "in", "!=": "not in"}[s.op]
	v := s.value
	if v.kind == tokenGroup {
		k.fail(importer.UndefinedGroup, v.from, v.to, "The members of @%s are not in this file. Write an address_group block with them, and the criteria from the comment.", v.text)
		return importer.NewAtom(s.name + " " + in + " '@" + importer.GroupName(v.text) + "'")
	}
	if addr, err := netip.ParseAddr(v.text); err == nil {
		return importer.NewAtom(s.name + " " + s.op + " '" + addr.Unmap().String() + "'")
	}
	p, err := netip.ParsePrefix(v.text)
	if err != nil || p.Addr().Is4In6() {
		k.fail(importer.NotConverted, v.from, v.to, "A block of IPv4-mapped addresses never appears on the wire. Write the IPv4 block.")
		return k.draft(s.compare)
	}
	k.once(importer.CIDRAsText, "", v.from, v.to, "Netify 5 and netpol take this as a block of addresses. Netify 4 compares the text and never matches.")
	if p != p.Masked() {
		k.report(importer.Assumed, v.from, v.to, "%s has bits to the right of its prefix length; taken as the block %s.", v.text, p.Masked())
	}
	return importer.NewAtom(s.name + " " + in + " '" + p.Masked().String() + "'")
}
