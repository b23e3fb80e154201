package lint_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
	"pgregory.net/rapid"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/lint"
	"github.com/netpol/netpol/compiler/resolve"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/lintconfig"
	"github.com/netpol/netpol/lang/outline"
	"github.com/netpol/netpol/policies"
)

var update = flag.Bool("update", false, "rewrite the wanted output in testdata")

var catalogue = sync.OnceValues(func() (*artifact.Catalogue, error) { return policies.Catalogue() })

// input makes the input of a run from policy files.
func input(t testing.TB, files map[string][]byte) lint.Input {
	t.Helper()
	cat, err := catalogue()
	if err != nil {
		t.Fatal(err)
	}
	p, diags := lang.Parse(files, lang.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	set, diags := resolve.Resolve(p, cat)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	in := lint.Input{Policy: p, Set: set, Now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	for name, src := range files {
		in.Files = append(in.Files, outline.Parse(name, src))
	}
	return in
}

// smallInput is input with a catalogue of the test's own.
func smallInput(t *rapid.T, src string, cat *artifact.Catalogue) lint.Input {
	const name = "in" + lang.PolicySuffix
	p, diags := lang.Parse(map[string][]byte{name: []byte(src)}, lang.Options{})
	if diags.HasErrors() {
		t.Fatal(diags, src)
	}
	set, diags := resolve.Resolve(p, cat)
	if diags.HasErrors() {
		t.Fatal(diags, src)
	}
	return lint.Input{Policy: p, Set: set, Files: []*outline.File{outline.Parse(name, []byte(src))}}
}

func run(t testing.TB, in lint.Input) lint.Result {
	t.Helper()
	result, diags := lint.Run(in)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	return result
}

// text writes findings for goldens.
func text(in lint.Input, list []lint.Finding) string {
	var b strings.Builder
	for _, f := range list {
		src := in.Policy.Source(f.Subject.Filename)
		subject := ""
		if f.Subject.End.Byte <= len(src) {
			subject = string(src[f.Subject.Start.Byte:f.Subject.End.Byte])
		}
		fmt.Fprintf(&b, "%s %s[%s] %s %q\n  %s\n", f.Subject, f.Severity, f.Rule.ID, f.Rule.Slug, subject, f.Detail)
		for _, v := range f.Witness {
			fmt.Fprintf(&b, "  witness: %s = %s\n", v.Attribute, v.Value)
		}
		for _, r := range f.Related {
			fmt.Fprintf(&b, "  %s: %s\n", r.Range, r.Text)
		}
		fmt.Fprintf(&b, "  way out: %s\n", f.Hint)
		if f.Fix != nil {
			fixed, _ := lint.ApplyFixes([]lint.Finding{f}, in.Policy.Source)
			fmt.Fprintf(&b, "  fix: %s\n", strings.TrimSpace(changedLine(src, fixed[f.Subject.Filename])))
		}
	}
	return b.String()
}

// changedLine is the first line that a fix changes.
func changedLine(before, after []byte) string {
	old, now := strings.Split(string(before), "\n"), strings.Split(string(after), "\n")
	for i := range now {
		if i >= len(old) || old[i] != now[i] {
			return now[i]
		}
	}
	return ""
}

// TestRules runs testdata/<slug>.txtar, one for each rule. A section bad-*.hcl
// is a policy set that the rule finds something in, as the section want says; a
// section good-*.hcl is one that no rule finds anything in that is more than a
// note, and this rule nothing at all. A section *.conf is the configuration of
// the set of that name.
func TestRules(t *testing.T) {
	for _, rule := range lint.Rules() {
		t.Run(rule.Slug, func(t *testing.T) {
			path := filepath.Join("testdata", rule.Slug+".txtar")
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			good, bad := 0, 0
			for _, section := range archive.Files {
				name, isSet := strings.CutSuffix(section.Name, ".hcl")
				if !isSet {
					continue
				}
				in := input(t, map[string][]byte{name + lang.PolicySuffix: section.Data})
				in.Config = configOf(t, archive, name, rule)
				result := run(t, in)
				if strings.HasPrefix(name, "good") {
					good++
					checkGood(t, in, rule, result)
					continue
				}
				bad++
				found := slices.DeleteFunc(result.Findings, func(f lint.Finding) bool { return f.Rule.ID != rule.ID })
				if len(found) == 0 {
					t.Errorf("%s: nothing found", name)
				}
				got.WriteString(text(in, found))
			}
			if good == 0 || bad == 0 {
				t.Errorf("%d good and %d bad sets, want some of both", good, bad)
			}
			checkWant(t, archive, path, got.Bytes())
		})
	}
}

// configOf is the configuration of a set. A rule that is off by default is on.
func configOf(t *testing.T, archive *txtar.Archive, name string, rule lint.Rule) *lintconfig.Config {
	t.Helper()
	text := ""
	for _, s := range archive.Files {
		if s.Name == name+".conf" {
			text = string(s.Data)
		}
	}
	if rule.Optional {
		text += fmt.Sprintf("rule %q {\n  level = %q\n}\n", rule.ID, rule.Severity)
	}
	c, diags := lintconfig.Parse(lintconfig.Name, []byte(text))
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	return c
}

func checkGood(t *testing.T, in lint.Input, rule lint.Rule, result lint.Result) {
	t.Helper()
	for _, f := range result.Findings {
		if f.Rule.ID == rule.ID || f.Severity != diag.Note {
			t.Errorf("false alarm:\n%s", text(in, []lint.Finding{f}))
		}
	}
}

func checkWant(t *testing.T, archive *txtar.Archive, path string, got []byte) {
	t.Helper()
	for i := range archive.Files {
		if archive.Files[i].Name != "want" {
			continue
		}
		if want := archive.Files[i].Data; !bytes.Equal(got, want) && !*update {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
		archive.Files[i].Data = got
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
