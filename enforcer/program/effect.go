package program

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
)

// labels is a set of conntrack label bits in the kernel's order: bit n is bit
// n%8 of byte n/8, so two little-endian words hold it.
type labels struct{ low, high uint64 }

func bitLabel(bit int) labels {
	if bit < 64 {
		return labels{low: 1 << bit}
	}
	return labels{high: 1 << (bit - 64)}
}

func (l labels) or(o labels) labels { return labels{l.low | o.low, l.high | o.high} }

func (l labels) without(o labels) labels { return labels{l.low &^ o.low, l.high &^ o.high} }

func (l labels) bytes() (b [16]byte) {
	binary.LittleEndian.PutUint64(b[:8], l.low)
	binary.LittleEndian.PutUint64(b[8:], l.high)
	return b
}

// effect is what one policy writes when it holds.
type effect struct {
	labels      labels
	mark, mask  uint32
	claims      [dimensions]claim
	claimsAnyOf bool // some claim is not empty
	noTrack     bool
}

// dimensions of kernel effects: in each, the first policy that holds wins.
const (
	dimDSCP = iota
	dimVerdict
	dimPriority
	dimRoute
	dimOffload
	dimensions
)

// claim is a policy's wish in one dimension; bits is empty when a label of the
// policy says it already.
type claim struct {
	made bool
	bits labels
}

func (p *Program) loadEffects(b *artifact.Bundle) error {
	for _, l := range b.Labels {
		if l.Bit < 0 || l.Bit > 127 {
			return fmt.Errorf("label %q: bit %d: %w", l.Name, l.Bit, errInvalid)
		}
		p.own = p.own.or(bitLabel(l.Bit))
	}
	for _, bit := range b.Program.Sticky {
		if err := p.checkBit(bit); err != nil {
			return fmt.Errorf("sticky labels: %w", err)
		}
		p.sticky = p.sticky.or(bitLabel(bit))
	}
	p.stickyMark = b.Program.StickyMark
	if len(b.Program.Effects) != len(b.Policies) {
		return fmt.Errorf("%d effects for %d policies: %w", len(b.Program.Effects), len(b.Policies), errInvalid)
	}
	p.effects = make([]effect, len(b.Program.Effects))
	for i, e := range b.Program.Effects {
		loaded, err := p.loadEffect(e)
		if err != nil {
			return fmt.Errorf("effect of policy %d: %w", i, err)
		}
		p.effects[i] = loaded
		p.markMask |= loaded.mask
		p.noTrack = p.noTrack || loaded.noTrack
	}
	return nil
}

func (p *Program) loadEffect(e artifact.Effect) (out effect, err error) {
	for _, bit := range e.Labels {
		if err := p.checkBit(bit); err != nil {
			return out, err
		}
		out.labels = out.labels.or(bitLabel(bit))
	}
	if e.Mark != nil {
		out.mark, out.mask = e.Mark.Value&e.Mark.Mask, e.Mark.Mask
	}
	out.noTrack = e.NoTrack
	for dim, c := range [dimensions]artifact.Claim{dimDSCP: e.DSCP, dimVerdict: e.Verdict, dimPriority: e.Priority, dimRoute: e.Route, dimOffload: e.Offload} {
		switch c.Kind {
		case artifact.ClaimNone:
			continue
		case artifact.ClaimOwn:
		case artifact.ClaimAuto:
			if err := p.checkBit(c.Bit); err != nil {
				return out, err
			}
			out.claims[dim].bits = bitLabel(c.Bit)
		default:
			return out, fmt.Errorf("claim %q: %w", c.Kind, errInvalid)
		}
		out.claims[dim].made = true
		out.claimsAnyOf = true
	}
	return out, nil
}

// checkBit refuses a label that the bundle does not own: writing it would
// change another owner's label.
func (p *Program) checkBit(bit int) error {
	if bit < 0 || bit > 127 {
		return fmt.Errorf("label bit %d: %w", bit, errInvalid)
	}
	if l := bitLabel(bit); l.low&p.own.low == 0 && l.high&p.own.high == 0 {
		return fmt.Errorf("label bit %d is not the bundle's: %w", bit, errInvalid)
	}
	return nil
}

// untracked leaves of the policies that hold only those that keep the flow from
// being tracked, if there are any: nothing can be written on such a flow.
func (p *Program) untracked(ids []int) []int {
	tracked := func(id int) bool { return !p.effects[id].noTrack }
	if !slices.ContainsFunc(ids, func(id int) bool { return !tracked(id) }) {
		return ids
	}
	return slices.DeleteFunc(ids, tracked)
}

// merge writes the effects of the policies that hold, in order.
func (p *Program) merge(v *Verdict) { p.mergeBlind(v, nil) }

// mergeBlind is merge for a flow of which not everything is known; nil knows
// all.
func (p *Program) mergeBlind(v *Verdict, b *Blind) {
	if p.noTrack {
		v.Policies = p.untracked(v.Policies)
	}
	var (
		set, unsure      labels
		mark, unsureMark uint32
		taken            uint32 // mark bits that an earlier policy has written
		claimed          [dimensions]bool
	)
	if b != nil {
		unsure, unsureMark = b.labels, b.mark
	}
	for _, id := range v.Policies {
		e := &p.effects[id]
		set = set.or(e.labels)
		mask := e.mask &^ taken
		if b != nil {
			mask &^= b.taken[id]
		}
		mark |= e.mark & mask
		taken |= mask
		if !e.claimsAnyOf {
			continue
		}
		for dim, c := range e.claims {
			if c.made && !claimed[dim] && (b == nil || id < b.claims[dim]) {
				claimed[dim] = true
				set = set.or(c.bits)
			}
		}
	}
	v.Labels, v.LabelMask = set.bytes(), p.own.without(p.sticky.or(unsure).without(set)).bytes()
	v.Mark, v.MarkMask = mark, p.markMask&^((p.stickyMark|unsureMark)&^taken)
}
