package artifact

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
)

// Set is a named set of constants that rules look values up in.
type Set struct {
	Name string  `json:"name"` // np_ prefixed
	Type SetType `json:"type"`
	// Elements are sorted and neither overlap nor touch.
	Elements []Element `json:"elements"`
}

// SetType is nft's name of what a set's elements are.
type SetType string

// Types of Set.
const (
	SetAddr4   SetType = "ipv4_addr"
	SetAddr6   SetType = "ipv6_addr"
	SetProto   SetType = "inet_proto"
	SetService SetType = "inet_service"
	SetDevice  SetType = "ifname"
)

// Width is how many bytes an element's ends have; 0 for an unknown type.
func (t SetType) Width() int {
	switch t {
	case SetAddr4:
		return 4
	case SetAddr6, SetDevice: // IFNAMSIZ, padded with NUL
		return 16
	case SetProto:
		return 1
	case SetService:
		return 2
	}
	return 0
}

// Interval says that the set's elements may be ranges: all types but names.
func (t SetType) Interval() bool { return t != SetDevice }

// Element is Low..High, both included, in network byte order and as wide as
// the set's type says. A device has no range: its ends are equal.
type Element struct {
	Low  []byte `json:"low"`
	High []byte `json:"high"`
}

// Declaration is how the set is declared in nft's syntax.
func (s Set) Declaration() string {
	if s.Type.Interval() {
		return "type " + Word(string(s.Type)) + "; flags interval;"
	}
	return "type " + Word(string(s.Type)) + ";"
}

// Text is the elements in nft's syntax: "10.0.0.0/8, 192.0.2.1-192.0.2.7".
func (s Set) Text() string {
	words := make([]string, len(s.Elements))
	for i, e := range s.Elements {
		words[i] = s.Type.text(e)
	}
	return strings.Join(words, ", ")
}

// text is one element; numbers and addresses are formatted from their bytes,
// so nothing but a device's name could carry foreign syntax.
func (t SetType) text(e Element) string {
	if len(e.Low) != t.Width() || len(e.High) != t.Width() {
		return "?"
	}
	switch t {
	case SetAddr4, SetAddr6:
		return addressText(e)
	case SetDevice:
		return `"` + Word(string(bytes.TrimRight(e.Low, "\x00"))) + `"`
	case SetProto, SetService:
	}
	low, high := uintText(e.Low), uintText(e.High)
	if low == high {
		return low
	}
	return low + "-" + high
}

func uintText(b []byte) string {
	var wide [8]byte
	copy(wide[len(wide)-len(b):], b)
	return strconv.FormatUint(binary.BigEndian.Uint64(wide[:]), 10)
}

// addressText is one address, a block, or a range.
func addressText(e Element) string {
	low, _ := netip.AddrFromSlice(e.Low)
	high, _ := netip.AddrFromSlice(e.High)
	if low == high {
		return low.String()
	}
	for bits := range low.BitLen() {
		p := netip.PrefixFrom(low, bits)
		if p.Masked() == p && last(p) == high {
			return p.String()
		}
	}
	return low.String() + "-" + high.String()
}

// last is the highest address of a block.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
