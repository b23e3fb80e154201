package outside

import (
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

// Emit fills in Adds and Notify of the effects, of which there is one a policy, or
// none at all after other mistakes. Policies on trial notify, and add nothing.
func Emit(set *ir.Set, effects []artifact.Effect) diag.List {
	var diags diag.List
	for i := range set.Policies {
		p := &set.Policies[i]
		adds, notify := p.Adds, p.Notify
		for _, job := range []struct {
			names *[]string
			words words
		}{{&adds, adding()}, {&notify, notifying()}} {
			if why := job.words.impossible(p); len(*job.names) > 0 && why != "" {
				diags.Add(diag.New(diag.ConflictingArguments, p.Range, why))
				*job.names = nil
			}
		}
		if i >= len(effects) {
			continue
		}
		if !p.Audit { // a block is a set for each IP version; addresses tell which a flow fits
			effects[i].Adds = places(set.FlowSets, adds, func(s artifact.FlowSet) string { return s.Block })
		}
		effects[i].Notify = places(set.Sinks, notify, func(s ir.Sink) string { return s.Sink.Name })
	}
	diags.Compact()
	return diags
}

// words are what of a refusal is different from job to job: who does it, and what
// to write instead.
type words struct{ who, ofPackets, ofQuota string }

func adding() words {
	return words{
		who:       "flows are put into sets by netpold",
		ofPackets: "Put them there by a policy that asks for the rest alone, or have rules of your own on the set ask for it; total_rate and duration can be asked for.",
		ofQuota:   "Write a policy of its own for add.",
	}
}

func notifying() words {
	return words{
		who:       "sinks are notified by netpold",
		ofPackets: "Notify from a policy that asks for the rest alone; total_rate and duration can be asked for. log = true has the kernel tell of packets.",
		ofQuota:   "Write a policy of its own for notify; log = true has the kernel tell of packets.",
	}
}

// impossible says why netpold could not tell when the policy's effects are in force;
// empty when it can.
func (w words) impossible(p *ir.Policy) string {
	switch {
	case len(p.Packet) > 0:
		return "The policy asks for what only the kernel's rules know of each packet (" + p.Packet.String() + "), and " + w.who + ". " + w.ofPackets
	case p.Quota != nil:
		return "The effects of a policy with a quota begin when the kernel sees it used up, and " + w.who + ", which does not. " + w.ofQuota
	}
	return ""
}

// places are where in a list the named ones stand, ascending.
func places[T any](list []T, names []string, nameOf func(T) string) []int {
	var out []int
	for i := range list {
		if slices.Contains(names, nameOf(list[i])) {
			out = append(out, i)
		}
	}
	return out
}
