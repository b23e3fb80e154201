package view

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/lint"
	"github.com/netpol/netpol/lang/diag"
)

// LintReport is what one run of netpol lint, or of another verb that finds things,
// has to say. File names lead from
// the working directory to the file.
type LintReport struct {
	Verb     string // of netpol, that found it; lint if empty
	Findings []lint.Finding
	Unproven []string // policies that were too complex to reason about
	Pairs    int      // of policies that were not held against each other
	Fixed    int      // fixes that were made before
}

// verb is who found it.
func (r LintReport) verb() string { return cmp.Or(r.Verb, "lint") }

// LintFormat is one way to write a report.
type LintFormat struct {
	Name  string
	Write func(w io.Writer, r LintReport, src Sources, st Style) error
}

// LintFormats lists the formats; the first is for people.
func LintFormats() []LintFormat {
	return []LintFormat{
		{"text", lintText},
		{"compact", lintCompact},
		{"json", lintJSON},
		{"sarif", lintSARIF},
		{"junit", lintJUnit},
		{"checkstyle", lintCheckstyle},
		{"github", lintGitHub},
		{"gitlab", lintGitLab},
	}
}

// lintText writes findings as diagnostics are written, with the flow that shows
// each.
func lintText(w io.Writer, r LintReport, src Sources, st Style) error {
	var b strings.Builder
	for _, f := range r.Findings {
		diagnostic(&b, lintDiagnostic(f), src, st)
		b.WriteByte('\n')
	}
	for _, name := range r.Unproven {
		fmt.Fprintf(&b, "Policy %q is too complex to be held against the others; what it shadows or conflicts with is not told.\n", cleanLine(name))
	}
	if r.Pairs > 0 {
		fmt.Fprintf(&b, "Shadows and conflicts are not proven for %s of policies: the set takes too much work.\n", count(r.Pairs, "pair"))
	}
	if r.Fixed > 0 {
		b.WriteString(count(r.Fixed, "finding") + " fixed.\n")
	}
	b.WriteString(lintTally(r.Findings) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// lintDiagnostic is a finding as a diagnostic.
func lintDiagnostic(f lint.Finding) diag.Diagnostic {
	d := diag.Diagnostic{Severity: f.Severity, Code: f.Rule.ID, Summary: f.Rule.Summary, Subject: f.Subject, Detail: f.Detail, Hint: f.Hint}
	if f.Rule.Slug != "" {
		d.Summary += " (" + f.Rule.Slug + ")"
	}
	if len(f.Witness) > 0 {
		d.Detail += "\nFor example: " + witnessText(f.Witness)
	}
	for _, r := range f.Related {
		d.Detail += fmt.Sprintf("\n%s: %s", r.Range, r.Text)
	}
	if f.Fix != nil {
		d.Hint += " (--fix does)"
	}
	return d
}

func witnessText(values []lint.Value) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = v.Attribute + " = " + v.Value
	}
	return strings.Join(parts, ", ")
}

// lintTally is "1 error, 2 warnings, 1 note. netpol lint --explain NP0503 tells
// more of a rule."
func lintTally(list []lint.Finding) string {
	if len(list) == 0 {
		return "Nothing found."
	}
	var parts []string
	for _, s := range []diag.Severity{diag.Error, diag.Warning, diag.Note} {
		if n := countSeverity(list, s); n > 0 {
			parts = append(parts, count(n, s.String()))
		}
	}
	tally := strings.Join(parts, ", ") + "."
	if i := slices.IndexFunc(list, func(f lint.Finding) bool { return f.Rule.Slug != "" }); i >= 0 {
		tally += fmt.Sprintf(" netpol lint --explain %s tells more of a rule.", list[i].Rule.ID)
	}
	return tally
}

func countSeverity(list []lint.Finding, s diag.Severity) int {
	n := 0
	for _, f := range list {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// lintCompact writes a finding a line, as compilers do.
func lintCompact(w io.Writer, r LintReport, _ Sources, _ Style) error {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s: %s: %s [%s]\n", cleanLine(f.Subject.String()), f.Severity, cleanLine(lintMessage(f)), f.Rule.ID)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// lintMessage is a finding in one line.
func lintMessage(f lint.Finding) string {
	m := f.Detail
	if len(f.Witness) > 0 {
		m += " For example: " + witnessText(f.Witness) + "."
	}
	if f.Hint != "" {
		m += " " + strings.TrimSuffix(Sentence(f.Hint), ".")
		if !strings.HasSuffix(m, "?") {
			m += "."
		}
	}
	return shorten(m, maxText)
}

// LintRule writes what is fixed about a rule, and its page.
func LintRule(w io.Writer, r lint.Rule, page string) error {
	_, err := fmt.Fprintf(w, "%s\n", strings.TrimSpace(page))
	return err
}

// LintRules lists the rules, one a line.
func LintRules(w io.Writer, rules []lint.Rule) error {
	var b strings.Builder
	for _, r := range rules {
		level := r.Severity.String()
		if r.Optional {
			level = "off"
		}
		fmt.Fprintf(&b, "%s  %-8s %-9s %-22s %s\n", r.ID, level, r.Category, r.Slug, r.Summary)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
