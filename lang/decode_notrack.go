package lang

import (
	"fmt"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
)

// trackedArguments are those that say what becomes of a connection, of which an
// untracked packet has none: labels, marks and all that stands on them.
func trackedArguments() []string {
	return []string{
		"label", "labels", "mark", "dscp", "verdict", "priority", "route", "rate", "quota", "count", "log", "add", "offload", "on_fail", "on_overload",
		"interface", "schedule",
	}
}

// noTrack reads whether the policy's packets pass without conntrack.
func (d *decoder) noTrack(b *hclsyntax.Block) bool {
	if !d.flag(b, "notrack", false) {
		return false
	}
	for _, name := range trackedArguments() {
		a, ok := b.Body.Attributes[name]
		if !ok {
			continue
		}
		why := fmt.Sprintf("%s needs a connection, and the packets of a policy with notrack = true have none: they pass before conntrack. Leave one of the two out.", name)
		switch name {
		case "interface":
			why = "The replies of a connection come in by another interface than its first packet, so with notrack = true half of it would be tracked. Say by addresses and ports which packets are meant."
		case "schedule":
			why = "A connection that begins untracked and goes on tracked is half a connection to conntrack, so notrack = true holds at all times. Leave the schedule out."
		}
		d.diags.Add(diag.New(diag.ConflictingArguments, toRange(a.NameRange), why))
	}
	return true
}
