package lint

import (
	"fmt"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

func idleHold() Rule {
	return Rule{ID: "NP0525", Slug: "idle-hold", Category: Hygiene, Severity: diag.Warning, Summary: "Nothing to wait for", check: checkHold}
}

// checkHold reports policies that hold packets and are decided without netpold. A
// drop or reject behind an accept by name waits for netpold all the same.
func checkHold(p *pass) {
	named := false // a policy that needs netpold accepts
	for i := range p.in.Set.Policies {
		policy := &p.in.Set.Policies[i]
		kernel := headersOnly(policy) && len(policy.Adds) == 0
		waits := named && (policy.Verdict == ir.Drop || policy.Verdict == ir.Reject)
		if b := p.block(policy); policy.Hold && kernel && !waits && b.Hold != nil {
			p.report(Finding{
				Subject: b.Hold.Range, Policy: policy.Name,
				Detail: fmt.Sprintf("Policy %q asks for addresses, ports and the like alone, so the kernel decides it on a connection's first packet, and nothing is held.", policy.Name),
				Hint:   "remove hold",
			})
		}
		named = named || !kernel && policy.Verdict == ir.Accept
	}
}
