package doctor

import (
	"fmt"

	"github.com/netpol/netpol/compiler/artifact"
)

// markRules are chains of others with rules on bits of the connection mark that
// netpol writes.
func (m Machine) markRules(ours uint32, fix func(uint32) string) []Finding {
	var list []Finding
	for _, u := range m.Found.MarkUses {
		if u.Family == "inet" && (u.Table == "netpol" || u.Table == artifact.SetTable) {
			continue
		}
		where := fmt.Sprintf("rules of chain %s in table %s %s", u.Chain, u.Family, u.Table)
		if both := u.Writes & ours; both != 0 {
			list = append(list, Finding{
				"marks", Warn, fmt.Sprintf("%s write bits %#x of the connection mark, of which netpol writes %#x: each undoes the other's", where, u.Writes, both),
				fix(both) + "give those rules a mask without them",
			})
		} else if both := u.Reads & ours; both != 0 {
			list = append(list, Finding{
				"marks", Warn, fmt.Sprintf("%s compare bits %#x of the connection mark, of which netpol writes %#x: they do not find what they look for", where, u.Reads, both),
				fix(both) + "give those rules a mask without them",
			})
		}
	}
	return list
}
