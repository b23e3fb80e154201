package opt

import (
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

// Run applies every pass to a set and returns the new set. The only
// diagnostics are warnings.
func Run(in *ir.Set) (*ir.Set, diag.List) {
	set := *in
	set.Policies = make([]ir.Policy, len(in.Policies))
	for i, p := range in.Policies {
		p.Cond = fold(push(p.Cond))
		set.Policies[i] = p
	}
	var diags diag.List
	set.Policies, diags = dead(set.Policies)
	share(set.Policies)
	Split(set.Policies)
	return &set, diags
}
