package opengfw

import (
	"strings"

	"github.com/netpol/netpol/lang/importer"
)

// write writes the policy of a rule and its line of the report.
func (r *run) write(w *importer.Writer, u *rule) {
	verdict := r.effect(u)
	if r.lost != "" && verdict == "drop" && u.cond.Text != "" {
		u.disable("the rule %s, which lets flows through before it, could not be converted", importer.OneLine(r.lost, 80))
	}
	audit := verdict == "" && u.log && len(u.reasons) == 0
	if verdict == "" && !audit && len(u.reasons) == 0 {
		u.disable("it has no effect that netpol has")
	}
	item := importer.Item{Name: u.name, Policy: u.policy, Line: u.at.Line}
	block := importer.Block{Type: "policy", Label: u.policy}
	if u.policy != u.name {
		r.report(importer.Renamed, u.at, "The policy of rule %q is called %q.", importer.OneLine(u.name, 80), u.policy)
	}
	if len(u.reasons) > 0 {
		item.State = importer.Disabled
		block.Comment = append(block.Comment, "Switched off by the import: "+strings.Join(u.reasons, "; ")+".")
		if u.expr != nil {
			block.Comment = append(block.Comment, "OpenGFW's expr: "+u.expr.Value)
		}
		r.report(importer.PolicyDisabled, u.at, "The policy %q is switched off: %s.", u.policy, strings.Join(u.reasons, "; "))
	}
	cond := u.cond
	if cond.Text == "" {
		cond = importer.Fixed(false)
	}
	block.Arguments = append(block.Arguments, importer.Argument{Name: "criteria", Value: importer.Quote(cond.Text)})
	if verdict != "" {
		block.Arguments = append(block.Arguments, importer.Argument{Name: "verdict", Value: importer.Quote(verdict)})
	}
	switch {
	case audit:
		block.Arguments = append(block.Arguments, importer.Argument{Name: "audit", Value: "true"})
	case u.log && verdict != "":
		block.Arguments = append(block.Arguments, importer.Argument{Name: "log", Value: "true"})
	}
	if len(u.reasons) > 0 {
		block.Arguments = append(block.Arguments, importer.Argument{Name: "enabled", Value: "false"})
		if u.action == "allow" && !onlyNever(u) {
			r.lost = u.name
		}
	}
	w.Add(block)
	r.out.Report.Items = append(r.out.Report.Items, item)
}

// onlyNever reports a rule that is off because it never matches.
func onlyNever(u *rule) bool { return len(u.reasons) == 1 && u.reasons[0] == "it never matches" }

// effect is the verdict of a rule; empty where it has none.
func (r *run) effect(u *rule) string {
	if u.log && !r.told["log"] {
		r.told["log"] = true
		r.report(importer.Assumed, u.at, "OpenGFW logs each flow that a rule matches. A rule that only logs becomes a policy with audit = true, of which netpold logs each flow once; one with a verdict gets log = true, a line in the kernel's log for a packet a second at most.")
	}
	switch u.action {
	case "allow":
		if !r.told["allow"] {
			r.told["allow"] = true
			r.report(importer.Assumed, u.at, "allow ends OpenGFW's rules for the flow; accept ends netpol's verdicts for it and overrules no other table.")
		}
		return "accept"
	case "block":
		return "drop"
	case "drop":
		r.report(importer.Assumed, u.at, "For UDP drop takes one packet and goes on with the flow; the policy drops the flow from the packet that names it.")
		return "drop"
	case "modify":
		r.report(importer.NoEffect, u.at, "netpol changes no payload, so modify has no counterpart.")
		u.disable("netpol changes no payload")
	}
	return ""
}
