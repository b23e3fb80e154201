package artifact

import (
	"net/netip"
	"slices"
)

// Filter is a condition on one packet's headers, which a program in the kernel
// asks. A packet's two ends are not told apart: a test of addresses or ports holds
// if either end meets it, so a filter takes both directions of a connection.
type Filter struct {
	Kind     FilterKind     `json:"kind"`
	Of       []Filter       `json:"of,omitempty"`       // of FilterAll, FilterAny, and the one of FilterNot
	Prefixes []netip.Prefix `json:"prefixes,omitempty"` // of FilterAddress
	Ranges   []Range        `json:"ranges,omitempty"`   // of FilterPort, FilterProtocol and FilterVersion
	MACs     []HardwareAddr `json:"macs,omitempty"`     // of FilterMAC
}

// HardwareAddr is an Ethernet address.
type HardwareAddr [6]byte

// FilterKind says what a Filter asks.
type FilterKind string

// Kinds of Filter. Only Ethernet frames have what FilterMAC asks for.
const (
	FilterAll      FilterKind = "all"
	FilterAny      FilterKind = "any"
	FilterNot      FilterKind = "not"
	FilterAddress  FilterKind = "address"
	FilterPort     FilterKind = "port"
	FilterProtocol FilterKind = "protocol" // IP protocol number
	FilterVersion  FilterKind = "version"  // of IP
	FilterMAC      FilterKind = "mac"
)

// Tests is how many values a filter compares with.
func (f *Filter) Tests() int {
	n := len(f.Prefixes) + len(f.Ranges) + len(f.MACs)
	for i := range f.Of {
		n += f.Of[i].Tests()
	}
	return n
}

// AllOf joins filters that must hold together; nil ones hold of everything.
func AllOf(list ...*Filter) *Filter {
	list = slices.DeleteFunc(list, func(f *Filter) bool { return f == nil })
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	all := &Filter{Kind: FilterAll}
	for _, f := range list {
		all.Of = append(all.Of, *f)
	}
	return all
}
