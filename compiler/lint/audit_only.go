package lint

import (
	"fmt"
	"strings"

	"github.com/netpol/netpol/lang/diag"
)

func auditOnly() Rule {
	return Rule{ID: "NP0522", Slug: "audit-only", Category: Hygiene, Severity: diag.Note, Summary: "Policy only counts and logs", check: checkAudit}
}

// checkAudit reminds of policies with audit = true that say what they would do.
func checkAudit(p *pass) {
	for i := range p.in.Set.Policies {
		policy := &p.in.Set.Policies[i]
		b := p.block(policy)
		var idle []string
		if policy.Audit {
			for _, e := range writtenEffects(policy) {
				idle = append(idle, e.String())
			}
			if b.Halt {
				idle = append(idle, "halt")
			}
		}
		if len(idle) > 0 {
			p.report(Finding{
				Subject: policy.Range, Policy: policy.Name,
				Detail: fmt.Sprintf("Policy %q counts and logs what it matches and changes nothing: it has audit = true, so %s does not come to pass.", policy.Name, strings.Join(idle, ", ")),
				Hint:   "remove audit when the policy has been tried out",
			})
		}
	}
}
