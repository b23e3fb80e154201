package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/flowspace"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

func weakEvidence() Rule {
	return Rule{ID: "NP0540", Slug: "weak-evidence", Category: Evidence, Severity: diag.Warning, Summary: "Weak evidence decides", check: checkWeakEvidence}
}

// leastPriority is the lowest code point that puts a flow before others: AF11.
// CS1 and LE put it behind (RFC 4594, RFC 8622).
const leastPriority = 10

// decisive is what a policy does that a wrong name would make wrong, or "".
func decisive(p *ir.Policy) string {
	switch {
	case blocking(p):
		return "blocked"
	case !p.Audit && p.DSCP != nil && p.DSCP.Value >= leastPriority:
		return "given priority"
	}
	return ""
}

// checkWeakEvidence reports policies that ask for guesses, to block or to
// prefer what was guessed.
func checkWeakEvidence(p *pass) {
	a := p.cases()
	for _, c := range a.cases {
		what := decisive(c.policy)
		if what == "" || !c.proven || c.never {
			continue
		}
		for _, e := range weakParts(c) {
			var overlap flowspace.Region
			some := false
			a.space.Try(questionNodes, func() {
				overlap = a.space.Possible(a.space.And(c.possible, a.space.Region(e)))
				some = !a.space.Empty(overlap)
			})
			if !some {
				continue
			}
			p.report(Finding{
				Subject: e.Pos(), Policy: c.policy.Name,
				Detail: fmt.Sprintf("Policy %q takes flows whose name is only guessed from address or port (%s), and they are %s.", c.policy.Name, describe(e), what),
				Hint:   "ask for by in ['payload', 'sni', 'cert', 'http'], or for the address or port itself",
			}.shown(a.witnessOf(c, e)))
			break
		}
	}
}

// witnessOf is a flow of a policy that meets one more condition.
func (a *analysis) witnessOf(c *policyCase, e ir.Expr) example {
	var out example
	a.space.Try(questionNodes, func() {
		out = a.witness(a.space.And(c.possible, a.space.Region(e)), c.policy.Cond, e)
	})
	return out
}

// weakParts are the conditions of the criteria that hold for guessed names and
// stand under no negation.
func weakParts(c *policyCase) []ir.Expr {
	var out []ir.Expr
	positive(c.criteria, func(x *ir.Compare) {
		if x.Attr.Name == "detection_guessed" {
			out = append(out, x)
		}
		if x.Attr.Name != "by" {
			return
		}
		weak := *x // the weak part of a list of evidence
		weak.Strings = slices.DeleteFunc(slices.Clone(x.Strings), func(s string) bool { return s != fact.ByNetwork && s != fact.ByPort })
		if len(weak.Strings) > 0 {
			out = append(out, &weak)
		}
	})
	return out
}

// positive visits the comparisons that stand under no negation.
func positive(list []ir.Expr, visit func(*ir.Compare)) {
	for _, e := range list {
		switch e := e.(type) {
		case *ir.And:
			positive(e.List, visit)
		case *ir.Or:
			positive(e.List, visit)
		case *ir.Compare:
			visit(e)
		default:
		}
	}
}

func unprovenBlock() Rule {
	return Rule{ID: "NP0541", Slug: "unproven-block", Category: Evidence, Severity: diag.Note, Summary: "Block rests on any evidence", check: checkUnprovenBlock}
}

// checkUnprovenBlock reports blocks of applications that the catalogue also
// recognises by their networks or ports, where the policy does not say what
// evidence is enough.
func checkUnprovenBlock(p *pass) {
	for i := range p.in.Set.Policies {
		policy := &p.in.Set.Policies[i]
		c := p.newCase(policy)
		if !blocking(policy) || saysEvidence(c.criteria) {
			continue
		}
		guessable := p.guessable(c.criteria)
		if len(guessable) == 0 {
			continue
		}
		p.report(Finding{
			Subject: policy.Range, Policy: policy.Name,
			Detail: fmt.Sprintf("Policy %q also blocks flows that are taken for %s by the server's address or port alone, which others may share.", policy.Name, firstFew(guessable)),
			Hint:   "add and not detection_guessed, or by in ['payload', 'sni', 'cert', 'http', 'dns']",
		})
	}
}

// saysEvidence says that conditions ask for evidence, or for what only the flow
// itself can show.
func saysEvidence(list []ir.Expr) bool {
	for _, a := range attributes(list...) {
		switch a.Name {
		case "by", "detection_guessed":
			return true
		}
		if a.Type == fact.Hostname || a.Type == fact.TLSVersion || a.Type == fact.TextList || a.Type == fact.Text && a.Decided != fact.Kernel {
			return true
		}
	}
	return false
}

// guessable lists the applications named by conditions that have networks or
// ports in the catalogue.
func (p *pass) guessable(list []ir.Expr) []string {
	apps, brands, categories := map[string]bool{}, map[string]bool{}, map[string]bool{}
	positive(list, func(c *ir.Compare) {
		for _, s := range c.Strings {
			switch c.Attr.Name {
			case "application":
				apps[s] = true
			case "brand":
				brands[s] = true
			case "category", "application_category":
				categories[s] = true
			}
		}
	})
	var out []string
	for _, a := range p.in.Set.Catalogue.Applications {
		if (apps[a.Tag] || brands[a.BrandTag()] || categories[a.Category]) && (len(a.Networks) > 0 || len(a.Ports) > 0) {
			out = append(out, a.Tag)
		}
	}
	return out
}

// firstFew is "'a', 'b', 'c' and 4 more".
func firstFew(list []string) string {
	const few = 3
	quoted := make([]string, 0, few)
	for _, s := range list[:min(few, len(list))] {
		quoted = append(quoted, "'"+s+"'")
	}
	text := strings.Join(quoted, ", ")
	if len(list) > few {
		text += fmt.Sprintf(" and %d more", len(list)-few)
	}
	return text
}

func lateFieldBlock() Rule {
	return Rule{ID: "NP0542", Slug: "late-field-block", Category: Evidence, Severity: diag.Warning, Summary: "Block comes late", check: checkLateField}
}

// checkLateField reports blocks that wait for what is known only when analysis
// is over: the flow has passed until then.
func checkLateField(p *pass) {
	for i := range p.in.Set.Policies {
		policy := &p.in.Set.Policies[i]
		if !blocking(policy) {
			continue
		}
		var late *ir.Compare
		positive(p.newCase(policy).criteria, func(c *ir.Compare) {
			if late == nil && c.Attr.Type == fact.Flag && c.Attr.Decided == fact.Changing && c.Attr.Name != "detection_guessed" {
				late = c
			}
		})
		if late != nil {
			p.report(Finding{
				Subject: late.Range, Policy: policy.Name,
				Detail: fmt.Sprintf("Policy %q blocks only once %s holds. Until then the flow's packets pass, and short flows are over.", policy.Name, describe(late)),
				Hint:   "block by what the first packets show: app, protocol, hostname",
			})
		}
	}
}
