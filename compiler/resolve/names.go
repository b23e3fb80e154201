package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/lang/suggest"
)

// names are the tags that criteria may use, each list sorted.
type names struct {
	applications, brands, protocols, categories []string
	byTitle                                     map[string]string // lower-case application name -> tag
	brandOf                                     map[string]string // of an application that is part of one, by tag
}

func newNames(cat *artifact.Catalogue) names {
	n := names{byTitle: map[string]string{}, brandOf: map[string]string{}}
	for _, a := range cat.Applications {
		n.applications = append(n.applications, a.Tag)
		n.byTitle[strings.ToLower(a.Name)] = a.Tag
		if a.Brand != "" {
			n.brandOf[a.Tag] = a.Brand
		} else {
			n.brands = append(n.brands, a.Tag)
		}
	}
	for _, p := range cat.Protocols {
		n.protocols = append(n.protocols, p.Tag)
	}
	for _, c := range cat.Categories {
		n.categories = append(n.categories, c.Tag)
	}
	for _, list := range [][]string{n.applications, n.brands, n.protocols, n.categories} {
		slices.Sort(list)
	}
	return n
}

// vocabulary is the closed set of values of one attribute type.
type vocabulary struct {
	code string // of the diagnostic for other values
	noun string
	tags []string
}

// vocabulary returns the values of a type; ok is false for open types.
func (n *names) vocabulary(t fact.Type) (vocabulary, bool) {
	switch t {
	case fact.ApplicationName:
		return vocabulary{diag.UnknownApplication, "application", n.applications}, true
	case fact.BrandName:
		return vocabulary{diag.UnknownBrand, "brand", n.brands}, true
	case fact.ProtocolName:
		return vocabulary{diag.UnknownProtocol, "protocol", n.protocols}, true
	case fact.CategoryName:
		return vocabulary{diag.UnknownCategory, "category", n.categories}, true
	case fact.EvidenceName:
		return vocabulary{diag.UnknownEvidence, "evidence", fact.Evidences}, true
	case fact.Text, fact.Hostname, fact.Number, fact.Port, fact.TLSVersion, fact.Address, fact.TextList, fact.Flag,
		fact.MAC, fact.EnumName, fact.TimeOfDay, fact.ScheduleName, fact.InterfaceName:
	}
	return vocabulary{}, false
}

// tag resolves a name that an author wrote. Netify's tags carry the prefix
// "netify.", which is optional there and here.
func (n *names) tag(v vocabulary, written string, hints *suggest.Budget) (string, *diag.Diagnostic) {
	tag := strings.ToLower(written)
	if slices.Contains(v.tags, tag) {
		return tag, nil
	}
	if short, ok := strings.CutPrefix(tag, "netify."); ok {
		if slices.Contains(v.tags, short) {
			return short, nil
		}
		tag = short
	}
	d := diag.New(v.code, diag.Range{}, fmt.Sprintf("No %s is named '%s'.", v.noun, written))
	if v.noun == "evidence" {
		d.Detail = fmt.Sprintf("Nothing is recognised by '%s'; the values are %s.", written, strings.Join(v.tags, ", "))
	}
	if brand, ok := n.brandOf[tag]; ok && v.noun == "brand" {
		d.Detail = fmt.Sprintf("'%s' is no brand, but an application of the brand '%s'.", tag, brand)
	}
	d.Hint = n.suggestTag(v, tag, hints)
	return "", &d
}

// suggestTag finds what was meant: another spelling, the tag of a name as it is
// spoken, or a tag of another kind.
func (n *names) suggestTag(v vocabulary, tag string, hints *suggest.Budget) string {
	if v.noun == "application" || v.noun == "brand" {
		if other, ok := n.byTitle[tag]; ok {
			if brand, part := n.brandOf[other]; part && v.noun == "brand" {
				other = brand
			}
			return fmt.Sprintf("did you mean '%s'?", other)
		}
	}
	if _, ok := protocolNumbers()[tag]; ok && v.noun == "protocol" {
		return fmt.Sprintf("write ip_protocol == '%s'", tag)
	}
	for _, other := range []struct {
		attr string
		tags []string
	}{{"app", n.applications}, {"protocol", n.protocols}, {"category", n.categories}} {
		if slices.Contains(other.tags, tag) {
			return fmt.Sprintf("write %s == '%s'", other.attr, tag)
		}
	}
	return hints.Hint(tag, v.tags)
}

// isTag reports types whose values are tags of the catalogue.
func isTag(t fact.Type) bool {
	return t == fact.ApplicationName || t == fact.ProtocolName || t == fact.CategoryName || t == fact.BrandName
}
