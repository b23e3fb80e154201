package artifact

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Set is a named set of constants that rules look values up in.
type Set struct {
	Name string  `json:"name"` // np_ prefixed
	Type SetType `json:"type"`
	// Map says that it is a verdict map: each element jumps to a chain, and a
	// DoVMap statement uses it.
	Map bool `json:"map,omitempty"`
	// Elements are sorted and neither overlap nor touch.
	Elements []Element `json:"elements"`
	// Schedules are what a set of SetTime is made of: its elements are the times
	// at which one of them is in force, and follow from the clock (see At).
	Schedules []Schedule `json:"schedules,omitempty"`
	// Heartbeat is how long an element of a set of SetFamily lives that nobody
	// renews; its elements say that the enforcer answers.
	Heartbeat time.Duration `json:"heartbeat,omitempty"`
	// Accounts are what rules keep of each element of a set that they fill
	// themselves; such a set has no Elements. Lives, if not 0, is how long one
	// lives that no packet renews.
	Accounts Accounts      `json:"accounts,omitempty"`
	Lives    time.Duration `json:"lives,omitempty"`
}

// Accounts is what is kept of each element of a set.
type Accounts string

// What may be kept.
const (
	NoAccounts    Accounts = ""
	AccountLimit  Accounts = "limit"
	AccountQuota  Accounts = "quota"
	AccountCounts Accounts = "counter"
)

// DynamicSize is how many elements a set that rules fill may have: what a
// router with as many hosts or flows needs no more of is not kept.
const DynamicSize = 65536

// Dynamic says that rules fill the set.
func (s Set) Dynamic() bool { return s.Accounts != NoAccounts }

// Interval says that elements may be ranges.
func (s Set) Interval() bool { return s.Type.Interval() && !s.Dynamic() }

// SetType is nft's name of what a set's elements are.
type SetType string

// Types of Set.
const (
	SetAddr4   SetType = "ipv4_addr"
	SetAddr6   SetType = "ipv6_addr"
	SetProto   SetType = "inet_proto"
	SetService SetType = "inet_service"
	SetDevice  SetType = "ifname"
	SetTime    SetType = "time"     // nanoseconds since the epoch
	SetFamily  SetType = "nf_proto" // ip and ip6
	SetFlow    SetType = "ct id"
)

// Width is how many bytes an element's ends have; 0 for an unknown type.
func (t SetType) Width() int {
	switch t {
	case SetAddr4, SetFlow:
		return 4
	case SetAddr6, SetDevice: // IFNAMSIZ, padded with NUL
		return 16
	case SetProto, SetFamily:
		return 1
	case SetTime:
		return 8
	case SetService:
		return 2
	}
	return 0
}

// Interval says that the set's elements may be ranges: all types but names.
func (t SetType) Interval() bool { return t != SetDevice && t != SetFamily && t != SetFlow }

// Element is Low..High, both included, in network byte order and as wide as
// the set's type says. A device has no range: its ends are equal.
type Element struct {
	Low  []byte `json:"low"`
	High []byte `json:"high"`
	Jump string `json:"jump,omitempty"` // the chain, in a map
}

// Declaration is how the set is declared in nft's syntax.
func (s Set) Declaration() string {
	text := "type " + Word(string(s.Type))
	switch s.Type {
	case SetTime: // "type time" would be a duration
		text = "typeof meta time"
	case SetFamily:
		return fmt.Sprintf("%s; timeout %ds;", text, int(s.Heartbeat.Seconds()))
	case SetFlow:
		text = "typeof ct id"
	case SetAddr4, SetAddr6, SetProto, SetService, SetDevice:
	}
	if s.Dynamic() {
		text += fmt.Sprintf("; size %d; flags dynamic", DynamicSize)
		if s.Lives > 0 {
			text += fmt.Sprintf(",timeout; timeout %ds", int(s.Lives.Seconds()))
		}
		return text + ";"
	}
	if s.Map {
		text += " : verdict"
	}
	if s.Type.Interval() {
		text += "; flags interval"
	}
	return text + ";"
}

// Text is the elements in nft's syntax: "10.0.0.0/8, 192.0.2.1-192.0.2.7", in a
// map "10.0.0.0/8 : jump np_x".
func (s Set) Text() string {
	if s.Heartbeat > 0 || s.Dynamic() {
		return "" // they come and go
	}
	words := make([]string, len(s.Elements))
	for i, e := range s.Elements {
		words[i] = s.Type.text(e)
		if s.Map {
			words[i] += " : jump " + Word(e.Jump)
		}
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
	case SetTime:
		return timeText(e)
	case SetProto, SetService, SetFamily, SetFlow:
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

// timeText is a stretch of time; nft's own form of it depends on the zone that
// nft runs in.
func timeText(e Element) string {
	at := func(b []byte) string {
		return time.Unix(0, int64(binary.BigEndian.Uint64(b))).UTC().Format(time.RFC3339)
	}
	return at(e.Low) + " to " + at(e.High)
}

// HeartbeatLife is how long the enforcer may be silent before it counts as dead.
const HeartbeatLife = 10 * time.Second

// HeartbeatElements are what the set of a heartbeat has while the enforcer
// lives: NFPROTO_IPV4 and NFPROTO_IPV6 (linux/netfilter.h).
func HeartbeatElements() []Element {
	return []Element{{Low: []byte{2}, High: []byte{2}}, {Low: []byte{10}, High: []byte{10}}}
}

// Equal says that two elements are the same.
func (e Element) Equal(o Element) bool {
	return bytes.Equal(e.Low, o.Low) && bytes.Equal(e.High, o.High) && e.Jump == o.Jump
}
