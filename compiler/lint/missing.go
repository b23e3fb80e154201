package lint

import (
	"fmt"
	"strings"

	"github.com/netpol/netpol/lang/diag"
)

func missingDescription() Rule {
	return Rule{ID: "NP0515", Slug: "missing-description", Category: Hygiene, Severity: diag.Warning, Summary: "Policy without description", Optional: true, check: checkDescription}
}

func missingTest() Rule {
	return Rule{ID: "NP0516", Slug: "missing-test", Category: Hygiene, Severity: diag.Warning, Summary: "Policy without test", Optional: true, check: checkTest}
}

func checkDescription(p *pass) {
	for _, b := range p.in.Policy.Policies {
		if strings.TrimSpace(b.Description) == "" {
			p.report(Finding{Subject: b.Range, Policy: b.Name, Detail: fmt.Sprintf("Policy %q does not say what it is for.", b.Name), Hint: "add a description"})
		}
	}
}

// checkTest reports policies that no test names.
func checkTest(p *pass) {
	tests := strings.Join(p.in.Tests, "\n")
	for i := range p.in.Set.Policies {
		policy := &p.in.Set.Policies[i]
		if !strings.Contains(tests, `"`+policy.Name+`"`) {
			p.report(Finding{Subject: policy.Range, Policy: policy.Name, Detail: fmt.Sprintf("No test in *.nptest.hcl names policy %q.", policy.Name), Hint: "add a test that expects it"})
		}
	}
}
