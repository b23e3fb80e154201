package view

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"

	"github.com/netpol/netpol/compiler/lint"
	"github.com/netpol/netpol/lang/diag"
)

type lintReportJSON struct {
	FormatVersion string            `json:"format_version"`
	Errors        int               `json:"error_count"`
	Warnings      int               `json:"warning_count"`
	Notes         int               `json:"note_count"`
	Fixed         int               `json:"fixed_count"`
	Unproven      []string          `json:"unproven_policies,omitempty"`
	Pairs         int               `json:"unproven_pairs,omitempty"`
	Findings      []lintFindingJSON `json:"findings"`
}

type lintFindingJSON struct {
	Rule     string          `json:"rule"`
	Slug     string          `json:"slug,omitempty"`
	Category lint.Category   `json:"category,omitempty"`
	Severity diag.Severity   `json:"severity"`
	Summary  string          `json:"summary"`
	Detail   string          `json:"detail"`
	Hint     string          `json:"hint,omitempty"`
	Range    diag.Range      `json:"range,omitzero"`
	Policy   string          `json:"policy,omitempty"`
	Witness  []lint.Value    `json:"witness,omitempty"`
	Related  []lintPlaceJSON `json:"related,omitempty"`
	Fixable  bool            `json:"fixable"`
}

type lintPlaceJSON struct {
	Range diag.Range `json:"range"`
	Text  string     `json:"text"`
}

func lintJSON(w io.Writer, r LintReport, _ Sources, _ Style) error {
	doc := lintReportJSON{
		FormatVersion: FormatVersion, Fixed: r.Fixed, Unproven: r.Unproven, Pairs: r.Pairs, Findings: []lintFindingJSON{},
		Errors: countSeverity(r.Findings, diag.Error), Warnings: countSeverity(r.Findings, diag.Warning), Notes: countSeverity(r.Findings, diag.Note),
	}
	for _, f := range r.Findings {
		one := lintFindingJSON{
			Rule: f.Rule.ID, Slug: f.Rule.Slug, Category: f.Rule.Category, Severity: f.Severity, Summary: f.Rule.Summary,
			Detail: f.Detail, Hint: f.Hint, Range: f.Subject, Policy: f.Policy, Witness: f.Witness, Fixable: f.Fix != nil,
		}
		for _, p := range f.Related {
			one.Related = append(one.Related, lintPlaceJSON(p))
		}
		doc.Findings = append(doc.Findings, one)
	}
	return writeJSON(w, doc)
}

// gitlabIssue is one entry of a Code Quality report (GitLab documentation,
// "Code Quality report format").
type gitlabIssue struct {
	Description string         `json:"description"`
	CheckName   string         `json:"check_name"`
	Fingerprint string         `json:"fingerprint"`
	Severity    string         `json:"severity"`
	Location    gitlabLocation `json:"location"`
}

type gitlabLocation struct {
	Path  string      `json:"path"`
	Lines gitlabLines `json:"lines"`
}

type gitlabLines struct {
	Begin int `json:"begin"`
}

func lintGitLab(w io.Writer, r LintReport, _ Sources, _ Style) error {
	issues := []gitlabIssue{}
	seen := map[string]int{}
	for _, f := range r.Findings {
		print := lintFingerprint(f)
		seen[print]++
		if n := seen[print]; n > 1 { // GitLab keeps one issue a fingerprint
			print = fmt.Sprintf("%s-%d", print, n)
		}
		issues = append(issues, gitlabIssue{
			Description: lintMessage(f), CheckName: lintName(f), Fingerprint: print, Severity: gitlabSeverity(f.Severity),
			Location: gitlabLocation{Path: filepath.ToSlash(f.Subject.Filename), Lines: gitlabLines{Begin: max(f.Subject.Start.Line, 1)}},
		})
	}
	return writeJSON(w, issues)
}

func gitlabSeverity(s diag.Severity) string {
	switch s {
	case diag.Error:
		return "critical"
	case diag.Warning:
		return "major"
	case diag.Note:
	}
	return "info"
}

// lintFingerprint names a finding so that it is the same one after lines above
// it have come or gone.
func lintFingerprint(f lint.Finding) string {
	sum := sha256.Sum256([]byte(f.Rule.ID + "\x00" + filepath.ToSlash(f.Subject.Filename) + "\x00" + f.Policy + "\x00" + f.Detail))
	return hex.EncodeToString(sum[:16])
}

// lintName is "NP0503 shadowed-policy".
func lintName(f lint.Finding) string {
	if f.Rule.Slug == "" {
		return f.Rule.ID
	}
	return f.Rule.ID + " " + f.Rule.Slug
}
