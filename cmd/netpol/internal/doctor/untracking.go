package doctor

import (
	"fmt"

	"github.com/netpol/netpol/compiler/artifact"
)

// untracking looks for rules of others that keep packets from conntrack, and so from
// every policy: labels, marks and netpold's copies are all of connections.
func untracking(m Machine) []Finding {
	const check = "untracked packets"
	var list []Finding
	for _, c := range m.Found.Untracking {
		if c.Family == "inet" && (c.Table == "netpol" || c.Table == artifact.SetTable) {
			continue
		}
		list = append(list, Finding{
			check, Warn,
			fmt.Sprintf("rules of chain %s in table %s %s leave packets untracked (notrack): netpold does not see them, and no policy applies to them", c.Name, c.Family, c.Table),
			"limit those rules to traffic that needs no policy, or remove them; of your own, notrack = true in a policy says it where netpol lint sees it",
		})
	}
	if len(list) == 0 {
		return good(check, "no rule of others leaves packets untracked")
	}
	return list
}
