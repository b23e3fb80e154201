package ir

import (
	"fmt"
	"strings"

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
// says that its condition holds: rules ask more of each packet, count, only count, or
// write the mark again.
func (p *Policy) Gated() bool { return len(p.Packet) > 0 || p.Audit || p.Remarks || p.accounts() }

// Lasting says that labels and marks come with the condition itself, and not
// with a packet that meets more.
func (p *Policy) Lasting() bool { return len(p.Packet) == 0 && p.Quota == nil && !p.Audit }

// Extras are the effects that neither label, mark, dscp nor verdict say, in
// words.
func (p *Policy) Extras() []string {
	var out []string
	for _, e := range p.ExtraList() {
		out = append(out, e.Text)
	}
	return out
}

// Own are the effects that come whatever other policies match, in words; of dscp,
// verdict, priority and route the first policy decides, and labels and marks add up.
// What is shared out or counted is this policy's alone, so its name stands in them.
// Where a quota has to be used up first, that is said of all effects in one.
func (p *Policy) Own() []string {
	if p.Audit {
		return nil
	}
	var own, all []string
	for _, e := range p.ExtraList() {
		switch e.Kind {
		case ExtraShared, ExtraManner:
			own = append(own, e.Text)
		case ExtraOwn:
			own = append(own, e.Text+", of "+p.Name)
		case ExtraFirst, ExtraQuota:
		}
		if e.Kind != ExtraQuota {
			all = append(all, e.Text)
		}
	}
	if p.Quota == nil {
		return own
	}
	for _, l := range p.Labels {
		all = append(all, "label "+l)
	}
	if p.Mark != nil {
		all = append(all, fmt.Sprintf("mark %#x/%#x", p.Mark.Value, p.Mark.Mask))
	}
	if p.DSCP != nil {
		all = append(all, "dscp "+p.DSCP.Name)
	}
	if p.Verdict != NoVerdict {
		all = append(all, p.Verdict.String())
	}
	return []string{p.Quota.String() + ", of " + p.Name + ": " + strings.Join(all, ", ")}
}

// String is "after 5000000000 bytes per host".
func (q *Quota) String() string { return fmt.Sprintf("after %d bytes per %s", q.Bytes, q.Per) }

// Extra is a further effect in words.
type Extra struct {
	Text string
	Kind ExtraKind
}

// ExtraKind says how an effect stands to those of other policies.
type ExtraKind uint8

// Kinds of further effects.
const (
	ExtraShared ExtraKind = iota // two of the same are one
	ExtraOwn                     // two of the same are two: each has an account
	ExtraManner                  // how dscp or verdict act
	ExtraFirst                   // the first policy that matches decides
	ExtraQuota                   // what the others wait for
)

// ExtraList are the effects that Extras writes.
func (p *Policy) ExtraList() []Extra {
	var out []Extra
	add := func(kind ExtraKind, format string, args ...any) {
		out = append(out, Extra{fmt.Sprintf(format, args...), kind})
	}
	if p.DSCP != nil && p.DSCP.IfUnset {
		add(ExtraManner, "dscp only if unset")
	}
	if p.RejectWith != "" {
		add(ExtraManner, "reject with %s", p.RejectWith)
	}
	if p.Priority != nil {
		add(ExtraFirst, "priority %s", p.Priority.Text)
	}
	if p.Route != nil {
		add(ExtraFirst, "route by table %d", p.Route.Table)
	}
	if p.Rate != nil {
		add(ExtraOwn, "rate %s per %s", p.Rate.Limit, p.Rate.Per)
	}
	if p.Quota != nil {
		add(ExtraQuota, "%s", p.Quota)
	}
	if p.Count != nil {
		add(ExtraOwn, "count per %s", p.Count.Per)
	}
	if p.Log != nil {
		add(ExtraOwn, "log")
	}
	for _, s := range p.Adds {
		add(ExtraShared, "add to %s", s)
	}
	for _, s := range p.Notify {
		add(ExtraShared, "notify %s", s)
	}
	if p.Offload {
		add(ExtraShared, "offload: no rule sees its packets from then on")
	}
	if p.NoTrack {
		add(ExtraShared, "notrack: no other policy applies")
	}
	return out
}
