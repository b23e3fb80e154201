package opt

import (
	"fmt"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

// CodeDead is the warning for a policy that no flow can match.
const CodeDead = "NP0311"

// dead drops policies whose condition is false, and numbers the rest anew.
func dead(in []ir.Policy) ([]ir.Policy, diag.List) {
	var diags diag.List
	out := make([]ir.Policy, 0, len(in))
	for _, p := range in {
		if c, ok := p.Cond.(*ir.Const); ok && !c.Value {
			diags.Add(diag.Diagnostic{
				Severity: diag.Warning, Code: CodeDead, Summary: "Policy never applies", Subject: p.Range,
				Detail: fmt.Sprintf("No flow can meet the criteria of policy %q, so it is left out. "+
					"Look for comparisons that exclude each other, or for an exemption that covers all of it.", p.Name),
			})
			continue
		}
		p.ID = len(out)
		out = append(out, p)
	}
	return out, diags
}
