package resolve

import (
	"fmt"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

// holdMark leaves out what a bundle need not say.
func holdMark(mask uint32) artifact.HoldMark {
	if m := artifact.HoldMark(mask); m != artifact.DefaultHoldMark {
		return m
	}
	return 0
}

// checkHoldMark reports marks of connections in the bits of packets that wait for
// netpold. Firewalls copy the one to the other, and a packet that has the bits when
// it comes counts as read: netpold would never see it.
func (r *resolver) checkHoldMark(policies []ir.Policy) {
	if !slices.ContainsFunc(policies, func(p ir.Policy) bool { return p.Hold }) {
		return
	}
	s := r.policy.Settings
	const way = "Where connections' marks are copied to packets, netpold would take them for read and see none of them. Move %s to other bits."
	if s.HoldMark&s.DoneMark != 0 {
		r.diags.Add(diag.New(diag.ReservedMark, s.Range, fmt.Sprintf("hold_mark (%#x) and done_mark (%#x) share a bit. "+way, s.HoldMark, s.DoneMark, "one of them")))
	}
	told := artifact.HoldMark(s.HoldMark).Told()
	if s.QuietChosen && s.HoldMark&s.QuietMark != 0 {
		r.diags.Add(diag.New(diag.ReservedMark, s.Range, fmt.Sprintf("hold_mark (%#x) and quiet_mark (%#x) share a bit. "+way, s.HoldMark, s.QuietMark, "one of them")))
	}
	for _, b := range r.policy.Policies {
		if m := b.Mark; m != nil && b.Enabled && m.Value&told == told {
			r.diags.Add(diag.New(diag.ReservedMark, m.Range, fmt.Sprintf("The mark %#x has the bits %#x, which packets carry that have waited for netpold (hold_mark in the netpol block, %#x). "+way, m.Value, told, s.HoldMark, "hold_mark")))
		}
	}
}
