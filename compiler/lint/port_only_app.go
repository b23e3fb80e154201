package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

func portOnlyApp() Rule {
	return Rule{ID: "NP0543", Slug: "port-only-app", Category: Evidence, Severity: diag.Warning, Summary: "Application by port alone", check: checkPortOnly}
}

// actWords are the words around an application's name in a policy's name.
func actWords() []string {
	return []string{
		"a", "all", "allow", "and", "app", "apps", "before", "best", "block", "boost", "by", "calls", "deny", "down", "drop", "fast", "first", "flows", "for",
		"high", "last", "limit", "low", "mark", "no", "port", "ports", "prefer", "prio", "prioritise", "prioritize", "priority", "reject", "slow", "tag",
		"the", "throttle", "traffic", "up",
	}
}

// checkPortOnly reports policies that are named after an application and match
// ports only: other programs use the ports, and the application others.
func checkPortOnly(p *pass) {
	tags := map[string]string{}
	for _, a := range p.in.Set.Catalogue.Applications {
		tags[a.Tag] = a.Tag
		tags[strings.ReplaceAll(strings.ToLower(a.Name), " ", "-")] = a.Tag
	}
	for i := range p.in.Set.Policies {
		policy := &p.in.Set.Policies[i]
		if !portsOnly(p.newCase(policy).criteria) {
			continue
		}
		for _, name := range append([]string{policy.Name}, policy.Labels...) {
			tag, ok := tags[bareName(name)]
			if !ok {
				continue
			}
			p.report(Finding{
				Subject: policy.Range, Policy: policy.Name,
				Detail: fmt.Sprintf("Policy %q speaks of %s but matches ports: whatever else uses them is taken for it, and %s on other ports is missed.", policy.Name, tag, tag),
				Hint:   fmt.Sprintf("write app == '%s'", tag),
			})
			break
		}
	}
}

// portsOnly says that conditions ask for ports, and for nothing that an
// application would show.
func portsOnly(list []ir.Expr) bool {
	port := false
	for _, a := range attributes(list...) {
		if a.Decided != fact.Kernel {
			return false
		}
		port = port || a.Type == fact.Port
	}
	return port
}

// bareName is what a name is about: "Prioritize zoom calls" is "zoom".
func bareName(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune(" -_./:(),+", r) })
	words = slices.DeleteFunc(words, func(w string) bool { return slices.Contains(actWords(), w) })
	return strings.Join(words, "-")
}
