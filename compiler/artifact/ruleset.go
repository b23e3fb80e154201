package artifact

import (
	"fmt"
	"strings"
)

// Ruleset is the nftables table of a bundle, typed: compiler/emit/nft makes it
// and renders it as text, enforcer/kernel/nft writes it over netlink. Every
// rule is made of Match and Statement values only, so that both renderings
// say the same.
type Ruleset struct {
	Family string `json:"family"` // inet
	Table  string `json:"table"`
	// Persist gives the table the flag of that name (NFT_TABLE_F_PERSIST, Linux
	// 6.9): a process may own it, and it outlives that process.
	Persist bool `json:"persist,omitempty"`

	Sets []Set `json:"sets,omitempty"`
	// Objects are counters and quotas by name; they outlive their rules.
	Objects []Object `json:"objects,omitempty"`
	// Flowtables forward the flows that rules add to them.
	Flowtables []Flowtable `json:"flowtables,omitempty"`

	Chains []Chain `json:"chains"`

	// Loud are the labels without which no rule behind a test of the quiet mark has
	// an effect on a decided connection, sorted.
	Loud []int `json:"loud,omitempty"`
}

// Object is a counter, or a quota of Bytes that rules ask whether it is used up.
type Object struct {
	Name  string     `json:"name"` // np_ prefixed
	Kind  ObjectKind `json:"kind"`
	Bytes uint64     `json:"bytes,omitempty"`
}

// String is the object as nft declares it.
func (o Object) String() string {
	if o.Kind == ObjectQuota {
		return fmt.Sprintf("quota %s { over %d bytes }", Word(o.Name), o.Bytes)
	}
	return fmt.Sprintf("%s %s", Word(string(o.Kind)), Word(o.Name)) + " { }"
}

// ObjectKind is nft's word for a stateful object.
type ObjectKind string

// Kinds of Object.
const (
	ObjectCounter ObjectKind = "counter"
	ObjectQuota   ObjectKind = "quota"
)

// Flowtable forwards the packets of the flows in it right where they come in, past
// all hooks but ingress.
type Flowtable struct {
	Name     string   `json:"name"`    // np_ prefixed
	Devices  []string `json:"devices"` // sorted; between these flows are forwarded
	Hardware bool     `json:"hardware,omitempty"`
}

// String is the flowtable as nft declares it. Conntrack goes on counting.
func (f Flowtable) String() string {
	devices := make([]string, len(f.Devices))
	for i, d := range f.Devices {
		devices[i] = `"` + Word(d) + `"`
	}
	flags := ""
	if f.Hardware {
		flags = " flags offload;"
	}
	return fmt.Sprintf("flowtable %s { hook ingress priority 0; devices = { %s };%s counter; }", Word(f.Name), strings.Join(devices, ", "), flags)
}

// Chain is a base chain when Hook is set, a plain chain otherwise.
type Chain struct {
	Name     string `json:"name"`           // np_ prefixed: bare words may be nft keywords
	Hook     string `json:"hook,omitempty"` // prerouting, input, forward, output, postrouting
	Type     string `json:"type,omitempty"` // filter, route
	Priority int    `json:"priority,omitempty"`
	Rules    []Rule `json:"rules"`
}

// Rule is a list of matches that must all hold, then statements in order.
type Rule struct {
	ID      string      `json:"id"` // unique in the table and stable across compiles: "dscp4/zoom"
	Comment string      `json:"comment,omitempty"`
	Match   []Match     `json:"match,omitempty"`
	Do      []Statement `json:"do"`
}

// MatchKind says what a Match tests.
type MatchKind string

// Kinds of Match and the fields each reads.
const (
	MatchCTLabel     MatchKind = "ct label"     // Bit, Name; or Bits: any of them
	MatchCTMark      MatchKind = "ct mark"      // Mask, Value: mark & Mask == Value
	MatchMark        MatchKind = "meta mark"    // Mask, Value: mark & Mask == Value
	MatchCTPackets   MatchKind = "ct packets"   // Name: original, reply, or empty for both directions; Limit: packets < Limit
	MatchCTBytes     MatchKind = "ct bytes"     // Name: as for packets; Limit: bytes < Limit
	MatchCTDirection MatchKind = "ct direction" // Name: original, reply
	MatchCTState     MatchKind = "ct state"     // Name: untracked, invalid, new, established, related
	MatchL4Proto     MatchKind = "l4proto"      // Value: IP protocol number
	MatchFamily      MatchKind = "nfproto"      // Value: 4 or 6
	MatchIIFName     MatchKind = "iifname"      // Name
	MatchOIFName     MatchKind = "oifname"      // Name
	MatchSport       MatchKind = "th sport"     // Value; needs a MatchL4Proto before it, or else are the first bytes of any header
	MatchDport       MatchKind = "th dport"     // Value; needs a MatchL4Proto before it
	MatchDSCP4       MatchKind = "ip dscp"      // Value 0..63; needs MatchFamily 4 before it
	MatchDSCP6       MatchKind = "ip6 dscp"     // Value 0..63; needs MatchFamily 6 before it
	MatchCTID        MatchKind = "ct id"        // Mask, Value: id & Mask == Value; or without, the Key of an update
	MatchTime        MatchKind = "meta time"    // Set of SetTime
	MatchAlive       MatchKind = "meta nfproto" // Set of SetFamily, the heartbeat; MatchFamily has none
	MatchCTStatus    MatchKind = "ct status"    // Name: confirmed, which only the first packet of a connection is not
	MatchSaddr4      MatchKind = "ip saddr"     // Set or Low; needs MatchFamily 4 before it
	MatchDaddr4      MatchKind = "ip daddr"     // Set or Low; needs MatchFamily 4 before it
	MatchSaddr6      MatchKind = "ip6 saddr"    // Set or Low; needs MatchFamily 6 before it
	MatchDaddr6      MatchKind = "ip6 daddr"    // Set or Low; needs MatchFamily 6 before it
)

// Match is one test; which fields count depends on Kind. Not inverts it. With a
// Set, which l4proto, the device names, ports and addresses may have, it asks
// whether the value is a member, and Name and Value do not count. With Low, which
// l4proto, ports and addresses may have, it asks whether the value is one of
// Low..High, in network byte order and as wide as the elements of such a set.
type Match struct {
	Kind  MatchKind `json:"kind"`
	Not   bool      `json:"not,omitempty"`
	Name  string    `json:"name,omitempty"`
	Bit   int       `json:"bit,omitempty"`
	Bits  []int     `json:"bits,omitempty"` // sorted, more than one
	Mask  uint32    `json:"mask,omitempty"`
	Value uint32    `json:"value,omitempty"`
	Limit uint64    `json:"limit,omitempty"`
	Set   string    `json:"set,omitempty"`
	Low   []byte    `json:"low,omitempty"`
	High  []byte    `json:"high,omitempty"`
}

// StatementKind says what a Statement does.
type StatementKind string

// Kinds of Statement and the fields each reads.
const (
	DoCounter        StatementKind = "counter"
	DoLog            StatementKind = "log"                                // Group, Snaplen, Name (prefix)
	DoSetDSCP4       StatementKind = "ip dscp set"                        // Value 0..63; needs MatchFamily 4
	DoSetDSCP6       StatementKind = "ip6 dscp set"                       // Value 0..63; needs MatchFamily 6
	DoSetCTLabel     StatementKind = "ct label set"                       // Bit, Name
	DoSetCTMark      StatementKind = "ct mark set"                        // Mask, Value: mark &^ Mask | Value
	DoAccept         StatementKind = "accept"                             // ends this hook's evaluation of our table only
	DoDrop           StatementKind = "drop"                               //
	DoReturn         StatementKind = "return"                             //
	DoJump           StatementKind = "jump"                               // Name
	DoGoto           StatementKind = "goto"                               // Name
	DoRejectTCPReset StatementKind = "reject with tcp reset"              // needs MatchL4Proto 6
	DoRejectAdmin    StatementKind = "reject with icmpx admin-prohibited" //
	DoNoTrack        StatementKind = "notrack"                            // only before conntrack (priority -200)
	DoFlowAdd        StatementKind = "flow add"                           // Name of a flowtable; only at the forward hook
)

// MatchTCPReset asks whether a packet is a TCP reset; it reads no field and
// needs a MatchL4Proto 6 before it.
const MatchTCPReset MatchKind = "tcp flags rst"

// DoSetSynAck sets the TCP flags SYN and ACK, and clears the others; it reads
// no field and needs a MatchL4Proto 6.
const DoSetSynAck StatementKind = "tcp flags set syn | ack"

// Statements that account: some end the rule, as a match does, for packets that
// are within what they allow.
const (
	DoCountIn     StatementKind = "counter name"      // Name of an ObjectCounter
	DoOverQuota   StatementKind = "quota name"        // Name of an ObjectQuota: goes on when it is used up
	DoOverLimit   StatementKind = "limit rate over"   // Limit: goes on when it is exceeded
	DoWithinLimit StatementKind = "limit rate"        // Limit: goes on while it is not exceeded
	DoUpdate      StatementKind = "update"            // Name of a dynamic set, Key; Limit as DoOverLimit, Bytes as a quota, or a counter
	DoSyslog      StatementKind = "log prefix"        // Name: the prefix; to the kernel's log
	DoSetPriority StatementKind = "meta priority set" // Value
	DoSetMark     StatementKind = "meta mark set"     // Mask, Value: mark &^ Mask | Value
	DoRejectICMP  StatementKind = "reject with icmpx" // Name: port-unreachable, admin-prohibited, no-route, host-unreachable
)

// DoVMap looks the value of Key up in the map Name and jumps to the chain of the
// element that has it; without one the rule ends.
const DoVMap StatementKind = "vmap"

// DoQueue holds the packet for the enforcer: queue Group, and Name QueueBypass or
// nothing. It ends the rule's chain; what goes on does so with the next hook.
const DoQueue StatementKind = "queue"

// Statement is one action of a rule; which fields count depends on Kind.
type Statement struct {
	Kind    StatementKind `json:"kind"`
	Name    string        `json:"name,omitempty"`
	Bit     int           `json:"bit,omitempty"`
	Mask    uint32        `json:"mask,omitempty"`
	Value   uint32        `json:"value,omitempty"`
	Group   uint16        `json:"group,omitempty"`
	Snaplen uint32        `json:"snaplen,omitempty"`
	Key     MatchKind     `json:"key,omitempty"` // what a vmap or an update looks up: a kind that may have a Set
	Limit   Limit         `json:"limit,omitzero"`
	Bytes   uint64        `json:"bytes,omitempty"`
}
