package lint_test

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint"
	"github.com/netpol/netpol/compiler/lint/flowspace"
	"github.com/netpol/netpol/lang"
)

// TestFixesKeepTheMeaning makes every fix in the policy sets of testdata: what
// comes of it resolves, and each of its policies matches the flows that it
// matched before.
func TestFixesKeepTheMeaning(t *testing.T) {
	fixed := map[string]int{}
	for _, set := range everySet(t) {
		in := input(t, set)
		for _, f := range run(t, in).Findings {
			if f.Fix == nil {
				continue
			}
			changed, _ := lint.ApplyFixes([]lint.Finding{f}, in.Policy.Source)
			after := map[string][]byte{}
			for name, src := range set {
				after[name] = src
				if text, ok := changed[name]; ok {
					after[name] = text
				}
			}
			fixed[f.Rule.Slug]++
			checkSame(t, f, in, input(t, after))
		}
	}
	for _, slug := range []string{"duplicate-in-list", "mixed-and-or", "slow-regex"} {
		if fixed[slug] == 0 {
			t.Errorf("nothing was fixed by %s: the test shows nothing", slug)
		}
	}
}

func everySet(t *testing.T) []map[string][]byte {
	t.Helper()
	var out []map[string][]byte
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range archive.Files {
			if name, ok := strings.CutSuffix(s.Name, ".hcl"); ok {
				out = append(out, map[string][]byte{name + lang.PolicySuffix: s.Data})
			}
		}
	}
	seeded, err := filepath.Glob("testdata/seeded/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range seeded {
		out = append(out, setOf(t, path))
	}
	return out
}

func checkSame(t *testing.T, f lint.Finding, before, after lint.Input) {
	t.Helper()
	if len(before.Set.Policies) != len(after.Set.Policies) {
		t.Errorf("%s %s: %d policies became %d", f.Subject, f.Rule.Slug, len(before.Set.Policies), len(after.Set.Policies))
		return
	}
	clock := flowspace.Clock{Zone: before.Set.Settings.Timezone, Schedules: before.Set.Schedules}
	for i := range before.Set.Policies {
		a, b := before.Set.Policies[i].Cond, after.Set.Policies[i].Cond
		if ir.Dump(a) == ir.Dump(b) {
			continue
		}
		s := flowspace.NewWithClock(before.Set.Catalogue, clock, a, b)
		if !s.Same(s.Possible(s.Region(a)), s.Possible(s.Region(b))) {
			t.Errorf("%s %s: %s became %s", f.Subject, f.Rule.Slug, ir.Dump(a), ir.Dump(b))
		}
	}
}
