package lint

import (
	"fmt"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/pattern"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

func unanchoredRegex() Rule {
	return Rule{ID: "NP0530", Slug: "unanchored-regex", Category: Style, Severity: diag.Warning, Summary: "Regular expression without anchor", check: checkUnanchored}
}

func unescapedDot() Rule {
	return Rule{ID: "NP0531", Slug: "unescaped-dot", Category: Style, Severity: diag.Warning, Summary: "Dot matches any character", check: checkDots}
}

func slowRegex() Rule {
	return Rule{ID: "NP0532", Slug: "slow-regex", Category: Style, Severity: diag.Note, Summary: "Regular expression without need", check: checkSlow}
}

// expression is one regular expression of a policy.
type expression struct {
	compare *ir.Compare
	source  *lang.Criteria // nil when it is not known
	policy  string
	written string // without the (?i) that resolve adds
}

// expressions visits the regular expressions of every policy, each once.
func (p *pass) expressions(visit func(expression)) {
	seen := map[diag.Range]bool{}
	for i := range p.in.Set.Policies {
		policy := &p.in.Set.Policies[i]
		ir.Walk(policy.Cond, func(e ir.Expr) {
			c, ok := e.(*ir.Compare)
			if !ok || c.Op != ir.OpMatches || len(c.Strings) != 1 || seen[c.Range] {
				return
			}
			seen[c.Range] = true
			visit(expression{c, p.sourceOf(c.Range), policy.Name, strings.TrimPrefix(c.Strings[0], "(?i)")})
		})
	}
}

// replaced is the fix that writes another condition in place of the whole
// comparison. It needs a comparison that stands in the file as such.
func (x *expression) replaced(condition, description string) *Fix {
	if x.source == nil || !literal(x.source) || strings.ContainsAny(condition, "\\\"") {
		return nil
	}
	return &Fix{Description: description, Edits: []Edit{{x.compare.Range, condition}}}
}

// subject is the attribute as the author named it.
func (x *expression) subject() string {
	name, _, _ := strings.Cut(x.compare.Text, " ")
	if _, ok := fact.Lookup(name); !ok {
		return x.compare.Attr.Name
	}
	return name
}

func (x *expression) quoted(s string) string { return "'" + s + "'" }

// checkUnanchored reports expressions for host names that hold at no end: they
// match inside longer names.
func checkUnanchored(p *pass) {
	p.expressions(func(x expression) {
		if x.compare.Attr.Type != fact.Hostname || pattern.Anchored(x.written) {
			return
		}
		f := Finding{
			Subject: x.compare.Range, Policy: x.policy,
			Detail: fmt.Sprintf("%s is found anywhere in a name, so anybody can register a name that matches.", x.quoted(x.written)),
			Hint:   "end it with $, or use domain() or contains",
		}
		if d, ok := pattern.MeantDomain(x.written); ok {
			to := fmt.Sprintf("domain(%s, '%s')", x.subject(), d)
			f.Detail = fmt.Sprintf("%s is found anywhere in a name: %s.evil.example matches as well.", x.quoted(x.written), d)
			f.Hint = "write " + to // fewer names, so no fix: somebody has to mean it
		}
		p.report(f)
	})
}

// checkDots reports dots between letters of a host name's expression.
func checkDots(p *pass) {
	p.expressions(func(x expression) {
		if !pattern.LooseDots(x.written) || x.compare.Attr.Type != fact.Hostname {
			return
		}
		f := Finding{
			Subject: x.compare.Range, Policy: x.policy,
			Detail: fmt.Sprintf("A dot in %s stands for any character, so %s matches too.", x.quoted(x.written), x.quoted(pattern.Sample(x.written))),
		}
		to := fmt.Sprintf("%s matches '%s'", x.subject(), pattern.EscapeDots(x.written))
		if d, ok := pattern.MeantDomain(x.written); ok {
			to = fmt.Sprintf("domain(%s, '%s')", x.subject(), d)
		}
		f.Hint = "write " + to // fewer names, so no fix
		p.report(f)
	})
}

// checkSlow reports expressions that only say what a plain operator says: those
// are indexed, an expression is run for every flow.
func checkSlow(p *pass) {
	p.expressions(func(x expression) {
		simple, ok := pattern.Plain(x.compare.Strings[0])
		if !ok || simple.Kind == pattern.Domain && x.compare.Attr.Type != fact.Hostname || strings.Contains(simple.Text, "'") {
			return
		}
		if simple.Kind == pattern.Contains && x.compare.Attr.Type == fact.Hostname {
			return // NP0530 tells the graver half
		}
		to := fmt.Sprintf("%s %s '%s'", x.subject(), simple.Kind, simple.Text)
		if simple.Kind == pattern.Domain {
			to = fmt.Sprintf("domain(%s, '%s')", x.subject(), simple.Text)
		}
		p.report(Finding{
			Subject: x.compare.Range, Policy: x.policy,
			Detail: "This expression says what a plain operator says, which is looked up in an index instead of being run for every flow.",
			Hint:   "write " + to,
			Fix:    x.replaced(to, "use the plain operator"),
		})
	})
}
