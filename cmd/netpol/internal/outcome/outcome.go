package outcome

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/lang/fact"
)

// Outcome is what becomes of one flow. Lists are never nil.
type Outcome struct {
	Policies []string `json:"policies"` // names of those that match, in order
	Labels   []string `json:"labels"`   // the author's, in the order of their names
	DSCP     string   `json:"dscp"`     // as DSCPName spells it; empty for unchanged
	Verdict  string   `json:"verdict"`  // accept, drop, reject; empty for none
	Mark     uint32   `json:"mark"`
	MarkMask uint32   `json:"mark_mask"` // the bits that some matching policy writes
}

// SameEffect reports whether two outcomes do the same to traffic, whichever
// policies say so.
func (o *Outcome) SameEffect(p *Outcome) bool {
	return o.DSCP == p.DSCP && o.Verdict == p.Verdict && o.Mark == p.Mark && o.MarkMask == p.MarkMask &&
		slices.Equal(o.Labels, p.Labels)
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
	if len(parts) == 0 {
		return "left alone"
	}
	return strings.Join(parts, ", ")
}

// Evaluator finds outcomes. It is not safe for concurrent use.
type Evaluator struct {
	Bundle  *artifact.Bundle
	machine *program.Machine
	kernel  kernel
}

// New loads a bundle. It fails on a bundle that the enforcer would refuse.
func New(b *artifact.Bundle) (*Evaluator, error) {
	p, err := program.Load(b)
	if err != nil {
		return nil, err
	}
	return &Evaluator{Bundle: b, machine: p.NewMachine(), kernel: newKernel(&b.Ruleset)}, nil
}

// Machine is the evaluator's own machine, for explanations.
func (e *Evaluator) Machine() *program.Machine { return e.machine }

// Of is the outcome for a flow with these facts. An error means that the
// bundle has rules which only a kernel can answer for.
func (e *Evaluator) Of(f *fact.Facts) (Outcome, error) {
	v := e.machine.Eval(f)
	return e.outcome(v.Policies, v.Labels, v.Mark, f)
}

// OfPolicies is the outcome for a flow of which the engine has said already
// which policies match.
func (e *Evaluator) OfPolicies(names []string, labels []string, f *fact.Facts) (Outcome, error) {
	var ids []int
	for id := range e.Bundle.Policies {
		if slices.Contains(names, e.Bundle.Policies[id].Name) {
			ids = append(ids, id)
		}
	}
	var bits [16]byte
	for _, l := range e.Bundle.Labels {
		if slices.Contains(labels, l.Name) {
			bits[l.Bit/8] |= 1 << (l.Bit % 8)
		}
	}
	mark, taken := uint32(0), uint32(0)
	for _, id := range ids {
		if m := e.Bundle.Policies[id].Mark; m != nil {
			mark |= m.Value & m.Mask &^ taken
			taken |= m.Mask
		}
	}
	return e.outcome(ids, bits, mark, f)
}

func (e *Evaluator) outcome(ids []int, labels [16]byte, mark uint32, f *fact.Facts) (Outcome, error) {
	out := Outcome{Policies: make([]string, 0, len(ids)), Labels: []string{}, Mark: mark}
	for _, id := range ids {
		p := &e.Bundle.Policies[id]
		out.Policies = append(out.Policies, p.Name)
		if p.Mark != nil {
			out.MarkMask |= p.Mark.Mask
		}
	}
	for _, l := range e.Bundle.Labels {
		if !l.Auto && labels[l.Bit/8]&(1<<(l.Bit%8)) != 0 {
			out.Labels = append(out.Labels, l.Name)
		}
	}
	slices.Sort(out.Labels)
	var err error
	out.DSCP, out.Verdict, err = e.kernel.decide(&packet{labels: labels, mark: mark, facts: f})
	return out, err
}

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
