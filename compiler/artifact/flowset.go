package artifact

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// FlowSet is a set outside of netpol's rules that policies add flows to: one of
// nftables or an ipset. The enforcer puts an element into it while a flow lives.
type FlowSet struct {
	Block string      `json:"block"` // the name that policies use
	Kind  FlowSetKind `json:"kind"`
	// Family and Table are those of a set of nftables.
	Family string `json:"family,omitempty"`
	Table  string `json:"table,omitempty"`
	Name   string `json:"name"` // the kernel's
	// Version is the IP version of the addresses in it; 0 when it has none and
	// takes flows of both.
	Version uint8  `json:"version,omitempty"`
	Type    string `json:"type,omitempty"` // of an ipset: "hash:ip,port"
	// Fields are what an element is made of, in order.
	Fields []FlowField `json:"fields"`
	// Timeout is how long an element lives that nobody renews; 0 is for ever, or
	// in a set that is not Managed what the set itself says.
	Timeout time.Duration `json:"timeout,omitempty"`
	Size    uint32        `json:"size,omitempty"`
	// Managed sets are created and removed by netpol.
	Managed        bool `json:"managed,omitempty"`
	FlushOnCreate  bool `json:"flush_on_create,omitempty"`
	FlushOnDestroy bool `json:"flush_on_destroy,omitempty"`
	// Skb is what an ipset gives packets that a SET target maps.
	Skb *SkbInfo `json:"skb,omitempty"`
}

// FlowSetKind says who keeps a set.
type FlowSetKind string

// Kinds of FlowSet.
const (
	FlowSetNft   FlowSetKind = "nft"
	FlowSetIpset FlowSetKind = "ipset"
)

// SkbInfo is what elements of an ipset carry besides (ipset(8), skbinfo).
type SkbInfo struct {
	Mark     *Mark   `json:"mark,omitempty"`
	Priority *uint32 `json:"priority,omitempty"`
	Queue    *uint16 `json:"queue,omitempty"`
}

// FlowField is one part of an element.
type FlowField string

// Fields, by Netify's names.
const (
	FieldLocalAddr FlowField = "local_addr"
	FieldOtherAddr FlowField = "other_addr"
	FieldLocalMAC  FlowField = "local_mac"
	FieldOtherMAC  FlowField = "other_mac"
	FieldLocalPort FlowField = "local_port"
	FieldOtherPort FlowField = "other_port"
	FieldProto     FlowField = "ip_proto"
	FieldMark      FlowField = "mark"
	FieldInterface FlowField = "interface"
)

// SetTable is the table of sets that name none. Applies leave it alone, so that
// elements, and rules of the administrator's in it, live on.
const SetTable = "netpol_sets"

// DefaultSetTimeout is how long elements of managed sets live that nobody
// renews: what a dead enforcer put there does not stay for ever.
const DefaultSetTimeout = 15 * time.Minute

// DefaultSetSize is how many elements a managed set may hold.
const DefaultSetSize = 65536

// nftType is nft's type of the field.
func (f FlowField) nftType(version uint8) string {
	switch f {
	case FieldLocalAddr, FieldOtherAddr:
		if version == 6 {
			return string(SetAddr6)
		}
		return string(SetAddr4)
	case FieldLocalMAC, FieldOtherMAC:
		return "ether_addr"
	case FieldLocalPort, FieldOtherPort:
		return string(SetService)
	case FieldProto:
		return string(SetProto)
	case FieldMark:
		return "mark"
	case FieldInterface:
		return string(SetDevice)
	}
	return ""
}

// ID names the set among all of a router: "nft inet fw4 blocks.v4".
func (s *FlowSet) ID() string {
	if s.Kind == FlowSetIpset {
		return fmt.Sprintf("%s %s", s.Kind, s.Name)
	}
	return fmt.Sprintf("%s %s %s %s", s.Kind, s.Family, s.Table, s.Name)
}

// Declaration is how the set is created, in the syntax of its tool.
func (s *FlowSet) Declaration() string {
	if s.Kind == FlowSetIpset {
		return s.ipsetDeclaration()
	}
	types := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		types[i] = f.nftType(s.Version)
	}
	text := fmt.Sprintf("type %s; size %d;", strings.Join(types, " . "), s.Size)
	if s.Timeout > 0 {
		text += fmt.Sprintf(" flags timeout; timeout %ds;", int(s.Timeout.Seconds()))
	}
	return text
}

func (s *FlowSet) ipsetDeclaration() string {
	family := "inet"
	if s.Version == 6 {
		family = "inet6"
	}
	text := fmt.Sprintf("%s family %s maxelem %d", s.Type, family, s.Size)
	if s.Type == "hash:mac" {
		text = fmt.Sprintf("%s maxelem %d", s.Type, s.Size)
	}
	if s.Timeout > 0 {
		text += fmt.Sprintf(" timeout %d", int(s.Timeout.Seconds()))
	}
	if s.Skb != nil {
		text += " skbinfo"
	}
	return text
}

// Member is what a FlowSet holds of a flow: the values of its fields; the others
// are zero.
type Member struct {
	Local, Other         netip.Addr
	LocalMAC, OtherMAC   [6]byte
	LocalPort, OtherPort uint16
	Proto                uint8
	Mark                 uint32
	Interface            string
}

// String is the member for people: what of it is not zero.
func (m Member) String() string {
	var out []string
	add := func(has bool, what string, v any) {
		if has {
			out = append(out, fmt.Sprintf("%s %v", what, v))
		}
	}
	add(m.Local.IsValid(), "local", m.Local)
	add(m.LocalMAC != [6]byte{}, "local mac", fmt.Sprintf("%x", m.LocalMAC))
	add(m.LocalPort != 0, "local port", m.LocalPort)
	add(m.Proto != 0, "proto", m.Proto)
	add(m.Other.IsValid(), "other", m.Other)
	add(m.OtherMAC != [6]byte{}, "other mac", fmt.Sprintf("%x", m.OtherMAC))
	add(m.OtherPort != 0, "other port", m.OtherPort)
	add(m.Mark != 0, "mark", fmt.Sprintf("%#x", m.Mark))
	add(m.Interface != "", "interface", m.Interface)
	return strings.Join(out, ", ")
}

// MemberOp says what becomes of a member.
type MemberOp uint8

// Operations.
const (
	// MemberPut adds it, or gives it its whole life again.
	MemberPut MemberOp = iota
	// MemberTake takes it out; it may be gone already.
	MemberTake
	// MemberKeep gives it its whole life again if it is there.
	MemberKeep
)

// MemberChange is one step in a set.
type MemberChange struct {
	Set    *FlowSet
	Member Member
	Op     MemberOp
}

// MemberFault says why a set did not take some changes.
type MemberFault struct {
	Set   *FlowSet
	Kind  FaultKind
	Err   error
	Count int // changes that it cost
}

// FaultKind is what is wrong with a set, or with what was to go into it.
type FaultKind string

// Kinds of MemberFault.
const (
	FaultFull     FaultKind = "full"
	FaultMissing  FaultKind = "missing"
	FaultMismatch FaultKind = "mismatch" // the set is of another type, or has no timeout
	FaultDenied   FaultKind = "denied"
	FaultOther    FaultKind = "refused"
)

// FaultKinds lists them.
func FaultKinds() []FaultKind {
	return []FaultKind{FaultFull, FaultMissing, FaultMismatch, FaultDenied, FaultOther}
}
