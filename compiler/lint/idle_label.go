package lint

import (
	"fmt"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

func idleLabel() Rule {
	return Rule{ID: "NP0514", Slug: "idle-label", Category: Hygiene, Severity: diag.Note, Summary: "Label without effect", check: checkIdleLabel}
}

// checkIdleLabel reports labels that no policy gives an effect. They may well
// be for rules that netpol does not know, hence a note; a description on any
// policy that sets the label is taken to say so.
func checkIdleLabel(p *pass) {
	acts := map[string]bool{}
	for _, policy := range p.in.Set.Policies {
		for _, l := range policy.Labels {
			acts[l] = acts[l] || policy.Description != "" || policy.Audit || doesMore(&policy)
		}
	}
	told := map[string]bool{}
	for i := range p.in.Set.Policies {
		policy := &p.in.Set.Policies[i]
		b := p.block(policy)
		for _, l := range b.Labels {
			if acts[l.Value] || told[l.Value] {
				continue
			}
			told[l.Value] = true
			p.report(Finding{
				Subject: l.Range, Policy: policy.Name,
				Detail: fmt.Sprintf("Nothing in this policy set acts on the label %q: no policy that sets it does anything else.", l.Value),
				Hint:   fmt.Sprintf("add an effect; where a rule of your own reads it (ct label %s), say so in the policy's description", l.Value),
			})
		}
	}
}

// doesMore says that a policy has an effect besides its labels.
func doesMore(p *ir.Policy) bool {
	return p.DSCP != nil || p.Mark != nil || p.Verdict != ir.NoVerdict || len(p.ExtraList()) > 0
}
