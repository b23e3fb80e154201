package outcome

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/cmd/netpol/internal/flowfacts"
	"github.com/netpol/netpol/cmd/netpol/internal/packetsim"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/flowspace"
	"github.com/netpol/netpol/compiler/opt"
	"github.com/netpol/netpol/compiler/resolve"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/fact"
)

// Outcome is what becomes of one flow. Lists are never nil.
type Outcome struct {
	Policies []string `json:"policies"` // names of those that match, in order
	Audited  []string `json:"audited"`  // those among them that only count and log
	Labels   []string `json:"labels"`   // the author's, in the order of their names; not that of analysis
	DSCP     string   `json:"dscp"`     // as DSCPName spells it; empty for unchanged
	Verdict  string   `json:"verdict"`  // accept, drop, reject; empty for none
	Mark     uint32   `json:"mark"`
	MarkMask uint32   `json:"mark_mask"` // the bits that some matching policy writes
	Priority string   `json:"priority"`  // as tc writes it: "1:10", "5"; empty for unchanged
	Route    uint32   `json:"route"`     // routing table of packets to the other side; 0 for none of netpol's
	// Also are the effects of the matching policies that are each one's own, in
	// words: rates, quotas, counts, sets, sinks.
	Also []string `json:"also"`
}

// SameEffect reports whether two outcomes do the same to traffic, whichever
// policies say so.
func (o *Outcome) SameEffect(p *Outcome) bool {
	return o.DSCP == p.DSCP && o.Verdict == p.Verdict && o.Mark == p.Mark && o.MarkMask == p.MarkMask &&
		o.Priority == p.Priority && o.Route == p.Route && slices.Equal(o.Labels, p.Labels) && slices.Equal(o.Also, p.Also)
}

// Effect is the outcome on one line, without the policies.
func (o *Outcome) Effect() string {
	var parts []string
	if len(o.Labels) > 0 {
		parts = append(parts, "label "+strings.Join(o.Labels, " "))
	}
	if o.MarkMask != 0 {
		parts = append(parts, fmt.Sprintf("mark %#x/%#x", o.Mark, o.MarkMask))
	}
	if o.DSCP != "" {
		parts = append(parts, "dscp "+o.DSCP)
	}
	if o.Verdict != "" {
		parts = append(parts, "verdict "+o.Verdict)
	}
	if o.Priority != "" {
		parts = append(parts, "priority "+o.Priority)
	}
	if o.Route != 0 {
		parts = append(parts, fmt.Sprintf("route by table %d", o.Route))
	}
	parts = append(parts, o.Also...)
	if len(parts) == 0 {
		return "left alone"
	}
	return strings.Join(parts, ", ")
}

// Evaluator finds outcomes. It is not safe for concurrent use.
type Evaluator struct {
	Bundle  *artifact.Bundle
	Clock   *flowfacts.Clock
	packet  []ir.Conjunction // by policy id: what it asks of each packet
	own     [][]string       // by policy id: ir.Policy.Own
	machine *program.Machine
	table   *packetsim.Table
}

// New loads a bundle. It fails on a bundle that the enforcer would refuse. The
// policies that it was compiled from say what each asks of packets, which is no
// part of the program; see Lower. Without them, policies are said to match that
// match at other times, and what becomes of the packet is true all the same.
func New(b *artifact.Bundle, lowered *ir.Set) (*Evaluator, error) {
	p, err := program.Load(b)
	if err != nil {
		return nil, err
	}
	e := &Evaluator{Bundle: b, machine: p.NewMachine(), table: packetsim.New(&b.Ruleset), packet: make([]ir.Conjunction, len(b.Policies)), own: make([][]string, len(b.Policies))}
	var schedules []artifact.Schedule
	if lowered != nil {
		schedules = lowered.Schedules
		if len(lowered.Policies) != len(b.Policies) {
			return nil, fmt.Errorf("%d policies for a bundle of %d", len(lowered.Policies), len(b.Policies))
		}
		for i := range lowered.Policies {
			e.packet[i], e.own[i] = lowered.Policies[i].Packet, lowered.Policies[i].Own()
		}
	}
	e.Clock, err = flowfacts.NewClock(b.Settings, schedules)
	return e, err
}

// Lower resolves and optimises policies as the compiler does, to the point at
// which there is one for each of the bundle's. They must be free of errors.
func Lower(p *lang.Policy, cat *artifact.Catalogue) *ir.Set {
	set, _ := resolve.Resolve(p, cat)
	set, _ = opt.Run(set)
	return set
}

// Machine is the evaluator's own machine, for explanations.
func (e *Evaluator) Machine() *program.Machine { return e.machine }

// Of is the outcome for a packet in the middle of a flow with these facts, at
// the facts' own time of day or any. An error means that the bundle has rules
// which only a kernel can answer for.
func (e *Evaluator) Of(f *fact.Facts) (Outcome, error) {
	return e.Begin().Next(Moment{Facts: f, Time: e.Clock.Default()})
}

// OfPolicies is the outcome for a flow of which the engine has said already
// which policies match.
func (e *Evaluator) OfPolicies(names, labels []string, m Moment) (Outcome, error) {
	w := written{}
	for _, l := range e.Bundle.Labels {
		w.labelMask[l.Bit/8] |= 1 << (l.Bit % 8)
		if slices.Contains(labels, l.Name) {
			w.labels[l.Bit/8] |= 1 << (l.Bit % 8)
		}
	}
	for i := range e.Bundle.Policies {
		p := &e.Bundle.Policies[i]
		if p.Mark != nil && slices.Contains(names, p.Name) {
			w.mark |= p.Mark.Value & p.Mark.Mask &^ w.markMask
			w.markMask |= p.Mark.Mask
		}
	}
	l := &Life{e: e, decide: func(*fact.Facts) written { return w }}
	return l.Next(m)
}

// outcome tells of a packet that has passed the table.
func (e *Evaluator) outcome(f *fact.Facts, m Moment, c *packetsim.Connection, r *packetsim.Result) Outcome {
	out := Outcome{Policies: []string{}, Audited: []string{}, Labels: []string{}, Also: []string{}, Mark: c.Mark &^ e.Bundle.Settings.OwnMark()}
	for _, id := range e.machine.Eval(f).Policies {
		p := &e.Bundle.Policies[id]
		switch {
		case m.Netpold != Up && p.Decided != artifact.DecidedKernel, !e.OnPacket(id, f), slices.Contains(out.Policies, p.Name):
			continue
		case p.Audit:
			out.Audited = append(out.Audited, p.Name)
		case p.Mark != nil:
			out.MarkMask |= p.Mark.Mask
		}
		out.Policies = append(out.Policies, p.Name)
		out.Also = append(out.Also, e.own[id]...)
	}
	slices.Sort(out.Also)
	out.Also = slices.Compact(out.Also)
	for _, l := range e.Bundle.Labels {
		if !l.Auto && l.Name != e.Bundle.Settings.AnalysedLabel && labelBit(&c.Labels, l) {
			out.Labels = append(out.Labels, l.Name)
		}
	}
	slices.Sort(out.Labels)
	if r.DSCP != nil {
		out.DSCP = DSCPName(*r.DSCP)
	}
	if r.Priority != nil {
		out.Priority = lang.PriorityText(*r.Priority)
	}
	for _, route := range e.Bundle.Routes {
		if r.Mark&route.Mask == route.Mark {
			out.Route = route.Table
		}
	}
	switch r.Verdict {
	case packetsim.Drop:
		out.Verdict = "drop"
	case packetsim.Reject:
		out.Verdict = "reject"
	case packetsim.Pass:
		if slices.Contains(r.Accepted, chainForward) {
			out.Verdict = "accept"
		}
	}
	return out
}

// chainForward is the base chain of verdicts on what is forwarded
// (compiler/emit/nft).
const chainForward = "np_forward"

// OnPacket says that what a policy asks of each packet holds for the packet
// that these facts are of.
func (e *Evaluator) OnPacket(id int, f *fact.Facts) bool {
	for _, l := range e.packet[id] {
		if (flowspace.Eval(l.Test, f) == flowspace.Yes) == l.Not {
			return false
		}
	}
	return true
}

// AsksPacket is what a policy asks of each packet.
func (e *Evaluator) AsksPacket(id int) ir.Conjunction { return e.packet[id] }

// DSCPName is the language's name for a code point, or its number: two that
// nft prints as numbers have names as well (RFC 5865, RFC 8622).
func DSCPName(v uint8) string {
	switch v {
	case 1:
		return "le"
	case 44:
		return "va"
	}
	return artifact.DSCPName(v)
}
