package resolve

import (
	"fmt"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// checkMark reports a mark on bits of the enforcer's: a policy that set the done
// mark would end the flow's analysis, and one that set the quiet mark would keep
// the packets of labelled flows from the rules.
func (r *resolver) checkMark(m *lang.Mark) {
	own := r.policy.Settings.OwnMark()
	both := (m.Value | m.Mask) & own
	if both == 0 {
		return
	}
	hint := ""
	if m.Mask&^own != 0 {
		hint = fmt.Sprintf("write \"%#x/%#x\"", m.Value&^own, m.Mask&^own)
	}
	bit, setting := r.ownBit(both)
	r.diags.Add(diag.New(diag.ReservedMark, m.Range, fmt.Sprintf("Bit %#x of the mark is the enforcer's own. Leave it out of the mark and its mask, or move it with %s in the netpol block.", bit, setting)).WithHint(hint))
}

// ownBit is one of some bits of the enforcer's, and the setting that moves it.
func (r *resolver) ownBit(both uint32) (bit uint32, setting string) {
	if done := r.policy.Settings.DoneMark; both&done != 0 {
		return done, "done_mark"
	}
	return r.policy.Settings.QuietMark, "quiet_mark"
}

// quietMark is the bit of connections on which no rule has an effect; 0 for none.
// One that the author has not chosen gives way to policies that write or ask for
// the bit, so that a set says the same with it and without.
func (r *resolver) quietMark(set *ir.Set) uint32 {
	s := r.policy.Settings
	if s.QuietChosen || s.QuietMark == 0 {
		return s.QuietMark
	}
	written := s.DoneMark
	for i := range set.Policies {
		p := &set.Policies[i]
		if p.Mark != nil {
			written |= p.Mark.Mask
		}
		if p.Cond != nil && asksForMark(p.Cond, s.QuietMark) {
			return 0
		}
	}
	if written&s.QuietMark != 0 || r.looksHeld(set.Policies, written|s.QuietMark) {
		return 0
	}
	return s.QuietMark
}

// looksHeld says that bits of connections' marks, copied to packets, could be taken
// for those that packets carry which have waited for the enforcer.
func (r *resolver) looksHeld(policies []ir.Policy, marks uint32) bool {
	told := artifact.HoldMark(r.policy.Settings.HoldMark).Told()
	return marks&told == told && slices.ContainsFunc(policies, func(p ir.Policy) bool { return p.Hold })
}

// asksForMark says that a condition asks for a bit of the conntrack mark.
func asksForMark(e ir.Expr, bit uint32) (asks bool) {
	ir.Walk(e, func(e ir.Expr) {
		switch e := e.(type) {
		case *ir.Compare:
			asks = asks || e.Attr.Name == markName && (e.Mask == 0 || e.Mask&bit != 0)
		case *ir.Residual:
			asks = asks || slices.ContainsFunc(e.Reads, func(a fact.Attribute) bool { return a.Name == markName })
		}
	})
	return asks
}
