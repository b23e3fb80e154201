package policydiff

import (
	"reflect"
	"slices"

	"github.com/netpol/netpol/cmd/netpol/internal/flowfacts"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// axis is an attribute of a flow and values of it, the first of which is the
// plainest. Exact says that every value the attribute can have is told apart
// by no condition from one of these.
type axis struct {
	attr   fact.Attribute
	field  int
	values []reflect.Value
	exact  bool
	// hidePlain says that the first value stands for all that no policy
	// names, so that a witness need not show it.
	hidePlain bool
}

func newAxis[T any](attr fact.Attribute, values []T, exact bool) axis {
	field, _ := reflect.TypeFor[fact.Facts]().FieldByName(attr.Field)
	a := axis{attr: attr, field: field.Index[0], exact: exact}
	for _, v := range values {
		a.values = append(a.values, reflect.ValueOf(v))
	}
	return a
}

// Attributes that follow from others: sides from source and destination,
// categories from names. A witness gives the others.
var derivedBy = map[string][]string{
	"application": {"brand", "category", "application_category"},
	"protocol":    {"category", "protocol_category"},
	"src_ip":      {"local_ip", "other_ip", "local_port", "other_port", "local_mac", "other_mac", "origin", "other_type"},
	"dst_ip":      {"local_ip", "other_ip", "local_port", "other_port", "local_mac", "other_mac", "origin", "other_type"},
	"src_port":    {"local_port", "other_port"},
	"dst_port":    {"local_port", "other_port"},
	"src_mac":     {"local_mac", "other_mac"},
	"dst_mac":     {"local_mac", "other_mac"},
}

// axes cuts the flows into what the vocabulary tells apart. Both sides'
// catalogues say which names there are.
func (v *vocabulary) axes(catalogues ...*artifact.Catalogue) []axis {
	var out []axis
	for _, a := range fact.Attributes {
		names := append([]string{a.Name}, derivedBy[a.Name]...)
		switch {
		case isDerived(a.Name) || !v.reads(names...):
			continue
		case a.Name == "ip_version" && v.reads(append(derivedBy["src_ip"], "src_ip", "dst_ip")...):
			continue // follows from the addresses
		}
		out = append(out, v.axis(a, names, catalogues))
	}
	// The last axis changes first: an application says more than a protocol.
	slices.SortStableFunc(out, func(a, b axis) int { return speed(a) - speed(b) })
	return out
}

func speed(a axis) int {
	if a.attr.Name == "protocol" {
		return 0
	}
	return 1
}

func isDerived(name string) bool {
	for _, list := range derivedBy {
		if slices.Contains(list, name) {
			return true
		}
	}
	return false
}

func (v *vocabulary) axis(a fact.Attribute, names []string, catalogues []*artifact.Catalogue) axis {
	inCode := v.inCode(names...)
	switch a.Type {
	case fact.ApplicationName:
		return newAxis(a, v.tags(a, applications(catalogues)), !inCode)
	case fact.ProtocolName:
		return newAxis(a, v.tags(a, protocols(catalogues)), !inCode)
	case fact.EvidenceName:
		return newAxis(a, append([]string{""}, fact.Evidences...), !inCode)
	case fact.Flag:
		plain := a.Name == "detection_complete" // what a verdict that stays is made of
		return newAxis(a, []bool{plain, !plain}, true)
	case fact.Address:
		values, plain := v.addresses(names)
		out := newAxis(a, values, !inCode)
		out.hidePlain = plain
		return out
	case fact.EnumName:
		return newAxis(a, append([]string{""}, a.Values...), !inCode)
	case fact.TextList:
		values, exact := textLists(v.of(names...))
		return newAxis(a, values, exact && !inCode)
	default:
	}
	if a.Name == "ip_version" {
		return newAxis(a, []int{4, 6}, !inCode)
	}
	if reflect.TypeFor[fact.Facts]().Field(fieldIndex(a)).Type.Kind() == reflect.Int {
		var extra []int
		if inCode {
			extra = v.codeNumbers()
		}
		return newAxis(a, numbers(a, v.of(names...), extra), !inCode)
	}
	values, exact := texts(v.of(names...))
	if inCode {
		values = append(values, longTexts(v.codeNumbers())...)
	}
	return newAxis(a, values, exact && !inCode)
}

func fieldIndex(a fact.Attribute) int {
	field, _ := reflect.TypeFor[fact.Facts]().FieldByName(a.Field)
	return field.Index[0]
}

// numbers are the ends of every range and their neighbours outside of it.
func numbers(a fact.Attribute, tests []*artifact.Test, extra []int) []int {
	low, high := flowfacts.Domain(a)
	out := []int{low}
	for _, t := range tests {
		for _, r := range t.Ranges {
			out = append(out, r.Low-1, r.Low, r.High, r.High+1)
		}
	}
	out = append(out, extra...)
	out = slices.DeleteFunc(out, func(n int) bool { return n < low || n > high || a.Type == fact.TLSVersion && n != 0 && n < 0x0300 })
	slices.Sort(out)
	return slices.Compact(out)
}
