package netify

import (
	"slices"
	"strings"

	"github.com/netpol/netpol/lang/importer"
)

// write writes the policy of an action and its line of the report.
func (r *run) write(w *importer.Writer, a *action) {
	lost := r.dropSets(a)
	labels, mark, more := r.effects(a)
	lost = append(lost, more...)
	sets, sinks := a.addsTo(), a.notifies()
	item := importer.Item{Name: a.name, Policy: a.policy, Line: r.src.Range(a.from, a.to).Start.Line}
	block := importer.Block{Type: "policy", Label: a.policy}
	if len(a.reasons) == 0 && labels == nil && mark == "" && sets == nil && sinks == nil && !a.halt {
		if a.audit = a.onlyLogs(); a.audit {
			r.report(importer.Assumed, a.from, a.to, "The action does nothing but log. The policy has audit = true: netpold counts and logs each flow that matches it, once.")
		} else {
			a.disable("it has no effect that netpol has")
		}
	}
	if !a.off() {
		r.writeSchedules(w, a)
	}
	r.writeSets(w, a)
	r.writeSinks(w, a)
	switch {
	case len(a.reasons) > 0:
		item.State = importer.Disabled
		block.Comment = append(block.Comment, "Switched off by the import: "+strings.Join(a.reasons, "; ")+".")
		r.report(importer.PolicyDisabled, a.from, a.to, "The policy %q is switched off: %s.", a.policy, strings.Join(a.reasons, "; "))
	case !a.enabled:
		item.State = importer.SwitchedOff
	case len(lost) > 0:
		item.State = importer.Partly
	}
	for _, l := range lost {
		block.Comment = append(block.Comment, "Not converted: "+l+".")
	}
	if a.off() {
		block.Comment = append(block.Comment, a.originals()...)
	}
	block.Arguments = a.arguments(labels, mark, sets, sinks)
	w.Add(block)
	r.out.Report.Items = append(r.out.Report.Items, item)
}

// originals are the criteria as they were, and the draft of what they become.
func (a *action) originals() []string {
	var out []string
	for _, c := range a.criteria {
		out = append(out, "Netify's criteria: "+c)
	}
	if len(a.drafts) > 0 {
		out = append(out, "Draft: criteria = "+quoteList(a.drafts))
	}
	if len(a.exempt) > 0 {
		out = append(out, "Draft: exempt = "+quoteList(a.exempt))
	}
	if a.iface != "" {
		out = append(out, "Draft: interface = "+importer.Quote(a.iface))
	}
	if len(a.schedules) > 0 {
		out = append(out, "Draft: schedule = "+quoteList(a.scheduleNames()))
	}
	return out
}

func (a *action) scheduleNames() []string {
	names := make([]string, len(a.schedules))
	for i, s := range a.schedules {
		names[i] = s.name
	}
	return names
}

// off reports a policy that matches nothing, because what the action matches
// could not be said.
func (a *action) off() bool { return len(a.reasons) > 0 && a.settled().Shape == importer.Never }

// settled is the condition that is written: never, where what the action
// matches could not be said.
func (a *action) settled() importer.Condition {
	for _, reason := range a.reasons {
		if reason != "it has no effect that netpol has" {
			return importer.Fixed(false)
		}
	}
	return a.condition()
}

// arguments are the policy's arguments, in the order of docs/language.md.
func (a *action) arguments(labels []string, mark string, sets, sinks []string) []importer.Argument {
	var out []importer.Argument
	add := func(name, value string) {
		out = append(out, importer.Argument{Name: name, Value: value})
	}
	off := a.off()
	switch {
	case off:
		add("criteria", importer.Quote("false"))
	case len(a.any) > 1 && a.condition().Shape == importer.Or:
		add("criteria", quoteList(texts(a.any)))
	default:
		add("criteria", importer.Quote(a.condition().Text))
	}
	if len(a.exempt) > 0 && !off {
		add("exempt", quoteList(a.exempt))
	}
	if a.iface != "" && !off {
		add("interface", importer.Quote(a.iface))
	}
	if len(a.schedules) > 0 && !off {
		add("schedule", quoteList(a.scheduleNames()))
	}
	if len(labels) == 1 {
		add("label", importer.Quote(labels[0]))
	} else if len(labels) > 1 {
		quoted := make([]string, len(labels))
		for i, l := range labels {
			quoted[i] = importer.Quote(l)
		}
		add("labels", importer.List(quoted))
	}
	if mark != "" {
		add("mark", importer.Quote(mark))
	}
	if len(sets) > 0 {
		add("add", quoteList(sets))
	}
	if len(sinks) > 0 {
		add("notify", quoteList(sinks))
	}
	if a.logs() && !a.audit && (len(labels) > 0 || mark != "" || len(sets)+len(sinks) > 0 || a.halt) {
		add("log", "true")
	}
	if a.halt {
		add("halt", "true")
	}
	if a.audit {
		add("audit", "true")
	}
	if !a.enabled || len(a.reasons) > 0 {
		add("enabled", "false")
	}
	return out
}

// texts are the conditions of a list that can hold.
func texts(list []importer.Condition) []string {
	var out []string
	for _, c := range list {
		if c.Shape != importer.Never {
			out = append(out, c.Text)
		}
	}
	return out
}

// effects are the labels and the mark of an action's targets, and what of them
// was lost.
func (r *run) effects(a *action) (labels []string, text string, lost []string) {
	var sum *mark
	for _, t := range a.targets {
		name := importer.OneLine(t.name, 80)
		if t.broken {
			continue
		}
		if !t.enabled {
			lost = append(lost, name+" (its target is switched off)")
			continue
		}
		if t.lost != "" {
			lost = append(lost, name+": "+t.lost)
		}
		for _, l := range t.labels {
			if !slices.Contains(labels, l) {
				labels = append(labels, l)
			}
		}
		if t.mark == nil {
			continue
		}
		var ok bool
		if sum, ok = addMark(sum, *t.mark); !ok {
			lost = append(lost, name+": its mark "+t.mark.String()+" writes bits that another target of the action writes")
			r.report(importer.MarkConflict, a.from, a.to, "Two targets of the action write the same bits of the mark; that of %s was left out.", name)
		}
	}
	if sum != nil {
		text = sum.String()
		r.markOrder(a, *sum)
	}
	return labels, text, lost
}

// markOrder reports a mark that writes other values to bits which an earlier
// policy writes: of two policies that match, netpol lets the first decide.
func (r *run) markOrder(a *action, m mark) {
	if !a.enabled || len(a.reasons) > 0 {
		return
	}
	if m.value&r.cleared|m.mask&^m.value&r.set != 0 {
		r.report(importer.MarkConflict, a.from, a.to, "This mark and that of an earlier policy write the same bits. For a flow that matches both, netpol lets the first decide, and Netify the last.")
	}
	r.set |= m.value
	r.cleared |= m.mask &^ m.value
}

// onlyLogs reports an action that logs and has no effect that netpol has.
func (a *action) onlyLogs() bool {
	return a.logs() && !a.halt && !slices.ContainsFunc(a.targets, func(t *target) bool { return t.enabled && t.effective() })
}

// logs reports an action with a target that logs.
func (a *action) logs() bool {
	return slices.ContainsFunc(a.targets, func(t *target) bool { return t.log && t.enabled })
}

// addMark joins two marks that write different bits, or the same values.
func addMark(a *mark, b mark) (*mark, bool) {
	if a == nil {
		return &b, true
	}
	if shared := a.mask & b.mask; a.value&shared != b.value&shared {
		return a, false
	}
	return &mark{a.value | b.value, a.mask | b.mask}, true
}
