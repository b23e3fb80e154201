package netify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/lang/importer"
)

// maxHalts bounds how many exemptions halt_on_match may turn into: each action
// that halts is exempt from all after it.
const maxHalts = 2000

// halts makes actions that halt exemptions of the actions after them. Netify's
// JSON library sorts keys, so that is the order.
func (r *run) halts(actions []*action) {
	order := slices.Clone(actions)
	slices.SortFunc(order, func(a, b *action) int { return strings.Compare(a.name, b.name) })
	var before []*action // enabled actions that halt
	used := 0
	for _, a := range order {
		if !a.enabled {
			continue
		}
		for _, h := range before {
			if used++; used > maxHalts {
				a.disable("too many actions before it halt")
				break
			}
			a.haltedBy(h)
		}
		if a.halt && !onlyNever(a) {
			a.local = fmt.Sprintf("halt_%d", len(before)+1)
			before = append(before, a)
		}
	}
	if used == 0 {
		for _, h := range before {
			h.local = ""
		}
		return
	}
	r.reportHalts(before, order)
}

// haltedBy exempts from an action what an earlier one halted on.
func (a *action) haltedBy(h *action) {
	if len(h.reasons) > 0 {
		a.disable("the action %s, which halts before it, could not be converted", importer.OneLine(h.name, 80))
		return
	}
	a.halted = append(a.halted, "local."+h.local)
}

// reportHalts tells of the order, and of each action that halts others.
func (r *run) reportHalts(halting, order []*action) {
	first := halting[0]
	r.report(importer.ActionOrder, first.from, first.to, "halt_on_match makes the order of actions count, which is not documented. Taken as the order of their names, as the agent's JSON library sorts them.")
	for _, h := range halting {
		later := 0
		for _, a := range order {
			if slices.Contains(a.halted, "local."+h.local) {
				later++
			}
		}
		if later == 0 {
			h.local = ""
			continue
		}
		r.report(importer.HaltAsExempt, h.from, h.to, "The action halts on a match, so its flows are exempt from the policies of the actions after it (%d).", later)
	}
}

// onlyNever reports an action that is off because it never matches, and so
// halts nothing.
func onlyNever(a *action) bool { return len(a.reasons) == 1 && a.reasons[0] == "it never matches" }

// writeHalts writes what halting actions match, for the exemptions of others.
func writeHalts(w *importer.Writer, actions []*action) {
	block := importer.Block{Type: "locals", Comment: []string{"What actions with halt_on_match match: later policies leave it alone."}}
	for _, a := range actions {
		if a.local != "" {
			block.Arguments = append(block.Arguments, importer.Argument{
				Name: a.local, Value: importer.Quote(a.matched().Text), Comment: []string{importer.OneLine(a.name, 100)},
			})
		}
	}
	if len(block.Arguments) > 0 {
		w.Add(block)
	}
}

// matched is what an action matches, its exemptions taken out.
func (a *action) matched() importer.Condition {
	list := []importer.Condition{a.condition()}
	for _, e := range a.exempt {
		list = append(list, importer.Not(importer.NewAtom(e)))
	}
	return importer.AllOf(list...)
}
