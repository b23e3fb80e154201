package lint_test

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/netpol/netpol/compiler/lint"
	lintdocs "github.com/netpol/netpol/docs/lint"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/lintconfig"
)

// TestPages holds each rule's page to the rule: its title and severity, and the
// examples, of which the first is found and the second is not.
func TestPages(t *testing.T) {
	index := read(t, "README.md")
	for _, r := range lint.Rules() {
		t.Run(r.Slug, func(t *testing.T) {
			page := read(t, r.Page())
			severity := r.Severity.String()
			if r.Optional {
				severity = "off by default"
			}
			head := fmt.Sprintf("# %s %s\n\nSeverity: %s. Category: %s.", r.ID, r.Slug, severity, r.Category)
			if !strings.HasPrefix(page, head) {
				t.Errorf("the page does not begin with\n%s", head)
			}
			if !strings.Contains(index, fmt.Sprintf("| %s | [%s](%s) |", r.ID, r.Slug, r.Page())) {
				t.Error("the index has no line for the rule")
			}
			for i, example := range examples(page) {
				found := lintExample(t, r, example)
				if has := slices.ContainsFunc(found, func(f lint.Finding) bool { return f.Rule.ID == r.ID }); has != (i == 0) {
					t.Errorf("example %d: found %v, want %v", i+1, has, i == 0)
				}
			}
		})
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := fs.ReadFile(lintdocs.Pages(), name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func examples(page string) []string {
	var out []string
	for _, part := range strings.Split(page, "```hcl\n")[1:] {
		text, _, _ := strings.Cut(part, "```")
		out = append(out, text)
	}
	return out
}

func lintExample(t *testing.T, r lint.Rule, text string) []lint.Finding {
	t.Helper()
	in := input(t, map[string][]byte{"example" + lang.PolicySuffix: []byte(text)})
	in.Config = &lintconfig.Config{}
	if r.Optional {
		in.Config.Rules = []lintconfig.Rule{{Name: lang.Text{Value: r.ID}, Level: lang.Text{Value: "warning"}}}
	}
	return run(t, in).Findings
}

func TestRulesAreWellFormed(t *testing.T) {
	rules := lint.Rules()
	ids, slugs := map[string]bool{}, map[string]bool{}
	for i, r := range rules {
		if ids[r.ID] || slugs[r.Slug] {
			t.Errorf("%s %s: id or slug is taken", r.ID, r.Slug)
		}
		ids[r.ID], slugs[r.Slug] = true, true
		if i > 0 && rules[i-1].ID >= r.ID {
			t.Errorf("%s stands behind %s", r.ID, rules[i-1].ID)
		}
		if len(r.ID) != 6 || !strings.HasPrefix(r.ID, "NP05") || r.Summary == "" || strings.HasSuffix(r.Summary, ".") {
			t.Errorf("%+v is not well formed", r)
		}
		if r.Fixed && r.Severity != diag.Error {
			t.Errorf("%s: a rule that guards the operator is an error", r.ID)
		}
	}
	for _, name := range []string{"NP0503", "np503", "NP503", "shadowed-policy"} {
		if r, ok := lint.Find(name); !ok || r.Slug != "shadowed-policy" {
			t.Errorf("Find(%q): got %s, %v", name, r.ID, ok)
		}
	}
	if _, ok := lint.Find("NP0599"); ok {
		t.Error("Find finds what does not exist")
	}
}
