package ir

import (
	"fmt"

	"github.com/netpol/netpol/compiler/artifact"
)

// Per says what shares one count, quota or rate.
type Per uint8

// Sharers.
const (
	PerPolicy Per = iota // all that the policy holds of
	PerHost              // each address on the local side
	PerFlow              // each connection
)

// String is the word of the language.
func (p Per) String() string {
	switch p {
	case PerPolicy:
		return "policy"
	case PerHost:
		return "host"
	case PerFlow:
		return "flow"
	}
	return "unknown"
}

// Priority is the priority of packets (SO_PRIORITY, the class of tc).
type Priority struct {
	Text  string // as tc writes it: "1:10", or a plain number
	Value uint32
}

// Route sends packets to the other side by another routing table.
type Route struct{ Table uint32 }

// Log is a line in the kernel's log for packets; Limit nil means each of them.
type Log struct {
	Prefix string // empty: the policy's name
	Limit  *artifact.Limit
}

// Quota is an amount of bytes; the policy's other effects begin when it is used up.
type Quota struct {
	Bytes uint64
	Per   Per
}

// Rate drops what is over a limit.
type Rate struct {
	Limit artifact.Limit
	Per   Per
}

// Count counts packets and bytes.
type Count struct{ Per Per }

// accounts says that rules of the policy's own run on each packet.
func (p *Policy) accounts() bool {
	return p.Log != nil || p.Quota != nil || p.Rate != nil || p.Count != nil
}

// Gated says that the policy's effects need rules of its own, on a label that
// says that its condition holds: rules ask more of each packet, count, or only
// count.
func (p *Policy) Gated() bool { return len(p.Packet) > 0 || p.Audit || p.accounts() }

// Lasting says that labels and marks come with the condition itself, and not
// with a packet that meets more.
func (p *Policy) Lasting() bool { return len(p.Packet) == 0 && p.Quota == nil && !p.Audit }

// Extras are the effects that neither label, mark, dscp nor verdict say, in
// words.
func (p *Policy) Extras() []string {
	var out []string
	if p.DSCP != nil && p.DSCP.IfUnset {
		out = append(out, "dscp only if unset")
	}
	if p.RejectWith != "" {
		out = append(out, "reject with "+p.RejectWith)
	}
	if p.Priority != nil {
		out = append(out, "priority "+p.Priority.Text)
	}
	if p.Route != nil {
		out = append(out, fmt.Sprintf("route by table %d", p.Route.Table))
	}
	if p.Rate != nil {
		out = append(out, fmt.Sprintf("rate %s per %s", p.Rate.Limit, p.Rate.Per))
	}
	if p.Quota != nil {
		out = append(out, fmt.Sprintf("after %d bytes per %s", p.Quota.Bytes, p.Quota.Per))
	}
	if p.Count != nil {
		out = append(out, "count per "+p.Count.Per.String())
	}
	if p.Log != nil {
		out = append(out, "log")
	}
	for _, s := range p.Adds {
		out = append(out, "add to "+s)
	}
	for _, s := range p.Notify {
		out = append(out, "notify "+s)
	}
	if p.Offload {
		out = append(out, "offload: no rule sees its packets from then on")
	}
	if p.NoTrack {
		out = append(out, "notrack: no other policy applies")
	}
	return out
}
