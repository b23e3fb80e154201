package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

func neverTrue() Rule {
	return Rule{ID: "NP0501", Slug: "never-true", Category: Logic, Severity: diag.Warning, Summary: "Policy never applies", check: checkNeverTrue}
}

// checkNeverTrue reports policies that no flow can match, with the smallest set
// of conditions that exclude each other.
func checkNeverTrue(p *pass) {
	a := p.cases()
	for _, c := range a.cases {
		if !c.never {
			continue
		}
		detail := fmt.Sprintf("No flow can match policy %q: ", c.policy.Name)
		core := a.core(c)
		related := relatedConditions(core)
		halters := halters(c, core)
		hint := "remove one of the conditions, or join them by or"
		switch {
		case len(halters) > 0:
			var names []string
			related = nil
			for _, h := range halters {
				names = append(names, fmt.Sprintf("%q (%s:%d)", h.Name, h.Range.Filename, h.Range.Start.Line))
				related = append(related, Related{h.Range, "halts"})
			}
			detail += fmt.Sprintf("%s comes before it and halts for every flow that it would match.", oneOf(names))
			hint = fmt.Sprintf("move %q before it, narrow the earlier criteria, or remove halt there", c.policy.Name)
		case len(core) == 1:
			detail += fmt.Sprintf("%s can never be true.", describe(core[0]))
		default:
			parts := make([]string, len(core))
			for i, e := range core {
				parts[i] = describe(e)
			}
			detail += fmt.Sprintf("these conditions exclude each other: %s.", strings.Join(parts, "; "))
			detail += p.why(core)
		}
		p.report(Finding{Subject: c.policy.Range, Policy: c.policy.Name, Detail: detail, Related: related, Hint: hint})
	}
}

// halters are the earlier policies whose halt is part of why a policy never
// applies.
func halters(c *policyCase, core []ir.Expr) []*ir.Policy {
	var out []*ir.Policy
	for _, h := range c.halts {
		if slices.Contains(core, h.cond) && !slices.Contains(out, h.by) {
			out = append(out, h.by)
		}
	}
	return out
}

// core is the conditions of a policy without which it could be true: taking
// away any one of them would leave flows.
func (a *analysis) core(c *policyCase) []ir.Expr {
	list := conjuncts(c.policy.Cond)
	for i := 0; i < len(list); {
		rest := append(append([]ir.Expr{}, list[:i]...), list[i+1:]...)
		empty := false
		a.space.Try(questionNodes, func() { empty = a.space.Empty(a.space.Region(ir.NewAnd(c.policy.Range, rest...))) && a.space.Fits() })
		if empty && len(rest) > 0 {
			list = rest
		} else {
			i++
		}
	}
	return list
}

// why adds what the conditions do not say: the category that an application
// has.
func (p *pass) why(core []ir.Expr) string {
	category := false
	app := ""
	for _, e := range core {
		if c, ok := e.(*ir.Compare); ok && c.Attr.Name == "application" && len(c.Strings) == 1 {
			app = c.Strings[0]
		}
		category = category || asks(e, "category") || asks(e, "application_category")
	}
	if !category || app == "" {
		return ""
	}
	for _, a := range p.in.Set.Catalogue.Applications {
		if a.Tag == app {
			return fmt.Sprintf(" The category of '%s' is '%s'.", app, a.Category)
		}
	}
	return ""
}

// relatedConditions points at conditions.
func relatedConditions(list []ir.Expr) []Related {
	var out []Related
	for _, e := range list {
		out = append(out, Related{e.Pos(), describe(e)})
	}
	return out
}
