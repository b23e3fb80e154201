package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/netpol/netpol/cmd/netpol/internal/policytest"
	"github.com/netpol/netpol/compiler/lint"
	"github.com/netpol/netpol/lang/diag"
)

// FormatNames are the formats of findings that machines read: those of lint but
// text and json, of which each verb has its own.
func FormatNames() []string {
	var names []string
	for _, f := range LintFormats() {
		if f.Name != "text" && f.Name != "json" {
			names = append(names, f.Name)
		}
	}
	return names
}

// WriteFindings writes a report in one of the formats of FormatNames.
func WriteFindings(w io.Writer, format string, r LintReport) error {
	for _, f := range LintFormats() {
		if f.Name == format {
			return f.Write(w, r, nil, Style{})
		}
	}
	return fmt.Errorf("--format %s: the formats are %s", format, strings.Join(FormatNames(), ", "))
}

// DiagnosticFindings makes findings of what the compiler says, for validate.
func DiagnosticFindings(list diag.List) LintReport {
	r := LintReport{Verb: "validate"}
	for _, d := range list {
		rule := lint.Rule{ID: d.Code, Summary: d.Summary, Severity: d.Severity}
		r.Findings = append(r.Findings, lint.Finding{Rule: rule, Severity: d.Severity, Subject: d.Subject, Detail: d.Detail, Hint: d.Hint})
	}
	return r
}

// testRule is the rule that a failed test breaks.
var testRule = lint.Rule{ID: "policy-test", Summary: "Policy test failed", Severity: diag.Error}

// TestFindings makes a finding of each value that a failed test did not get.
func TestFindings(report *policytest.Report) LintReport {
	r := LintReport{Verb: "test"}
	add := func(file string, line int, text string) {
		at := diag.Pos{Line: line, Column: 1}
		r.Findings = append(r.Findings, lint.Finding{Rule: testRule, Severity: diag.Error, Subject: diag.Range{Filename: file, Start: at, End: at}, Detail: text})
	}
	for i := range report.Results {
		result := &report.Results[i]
		for j := range result.Failures[:min(len(result.Failures), maxFailures)] {
			f := &result.Failures[j]
			if f.Error != "" {
				add(result.File, result.Line, fmt.Sprintf("Test %q: %s.", result.Name, f.Error))
			}
			for _, m := range f.Mismatches {
				text := fmt.Sprintf("Test %q: %s is %s, want %s.", result.Name, m.What, m.Got, m.Want)
				if f.Flow != "" {
					text += " The flow: " + f.Flow + "."
				}
				add(m.File, m.Line, text)
			}
		}
	}
	return r
}
