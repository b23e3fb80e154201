package netify

import (
	"slices"
	"strings"

	"github.com/netpol/netpol/lang/importer"
)

// maxHalts bounds the actions that halt: in netpol each makes the conditions of
// all policies after it longer.
const maxHalts = 100

// halts puts actions in the order in which they halt each other, and switches
// off those that an action which was lost would have kept from flows. Netify's
// JSON library sorts keys, so the order is that of the names. Where nothing
// halts the order of the file is kept.
func (r *run) halts(actions []*action) []*action {
	order := slices.Clone(actions)
	slices.SortStableFunc(order, func(a, b *action) int { return strings.Compare(a.name, b.name) })
	var first, lost *action
	halting, stopped := 0, 0
	for _, a := range order {
		if !a.enabled {
			continue
		}
		if first != nil {
			stopped++
		}
		switch {
		case lost != nil:
			a.disable("the action %s, which halts before it, could not be converted", importer.OneLine(lost.name, 80))
		case halting > maxHalts:
			a.disable("too many actions before it halt")
		}
		if !a.halt || onlyNever(a) {
			continue
		}
		halting++
		if first == nil {
			first = a
		}
		if lost == nil && len(a.reasons) > 0 {
			lost = a
		}
	}
	if stopped == 0 { // what halts comes last: nothing to keep flows from
		for _, a := range order {
			a.halt = a.halt && !a.enabled
		}
		return actions
	}
	r.report(importer.ActionOrder, first.from, first.to, "halt_on_match makes the order of actions count, which is not documented. Taken as the order of their names, as the agent's JSON library sorts them; the policies stand in it.")
	r.report(importer.HaltReaches, first.from, first.to, "halt keeps a flow from all policies after this one, also from those of other files of the directory whose names come later.")
	return order
}

// onlyNever reports an action that is off because it never matches, and so
// halts nothing.
func onlyNever(a *action) bool { return len(a.reasons) == 1 && a.reasons[0] == "it never matches" }
