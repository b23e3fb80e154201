package set

import (
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

// Emit fills in Adds of the effects, of which there is one a policy, or none at
// all after other mistakes. A block is a set for each IP version, and which of
// them a flow fits is told by its addresses.
func Emit(set *ir.Set, effects []artifact.Effect) diag.List {
	var diags diag.List
	for i := range set.Policies {
		p := &set.Policies[i]
		if len(p.Adds) == 0 {
			continue
		}
		if why := impossible(p); why != "" {
			diags.Add(diag.New(diag.ConflictingArguments, p.Range, why))
			continue
		}
		if i < len(effects) && !p.Audit {
			effects[i].Adds = indexes(set.FlowSets, p.Adds)
		}
	}
	diags.Compact()
	return diags
}

// impossible says why the enforcer could not tell when a flow belongs into the
// policy's sets; empty when it can.
func impossible(p *ir.Policy) string {
	switch {
	case len(p.Packet) > 0:
		return "The policy asks for what only the kernel's rules know of each packet (" + p.Packet.String() +
			"), and flows are put into sets by netpold. Put them there by a policy that asks for the rest alone, or have rules of your own on the set ask for it; total_rate and duration can be asked for."
	case p.Quota != nil:
		return "The effects of a policy with a quota begin when the kernel sees it used up, and flows are put into sets by netpold, which does not. Write a policy of its own for add."
	}
	return ""
}

// indexes are the places of blocks in the list of sets, ascending.
func indexes(sets []artifact.FlowSet, blocks []string) []int {
	var out []int
	for i := range sets {
		if slices.Contains(blocks, sets[i].Block) {
			out = append(out, i)
		}
	}
	return out
}
