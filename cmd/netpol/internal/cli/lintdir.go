package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler/lint"
	"github.com/netpol/netpol/compiler/resolve"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/lintconfig"
	"github.com/netpol/netpol/lang/outline"
	"github.com/netpol/netpol/policies"
)

// lintRun is one run of the rules over a directory.
type lintRun struct {
	set     *policySet
	raw     []lint.Finding // file names as lang gives them
	report  view.LintReport
	minimum diag.Severity
	broken  bool // the policies or the configuration have errors, which are the report
}

func (t *tool) lintDir(dir string, a lintArgs) (*lintRun, error) {
	set, err := t.compileDir(dir, foreign{})
	if err != nil {
		return nil, err
	}
	run := &lintRun{set: set}
	if set.diags.HasErrors() {
		run.fail(set.diags)
		return run, nil
	}
	config, diags, err := readLintConfig(dir, a.config)
	if err != nil {
		return nil, err
	}
	if diags.HasErrors() {
		run.fail(diags)
		return run, nil
	}
	if run.minimum, err = minimumSeverity(a.minimum, config.MinimumFailureSeverity.Value); err != nil {
		return nil, err
	}
	in, err := t.lintInput(dir, set)
	if err != nil {
		return nil, err
	}
	in.Config, in.Only = config, a.only
	result, diags := lint.Run(in)
	if diags.HasErrors() {
		run.fail(diags)
		return run, nil
	}
	run.raw = result.Findings
	if len(a.only) == 0 {
		run.warn(set.diags, placed(dir, result.Findings))
	}
	run.report = view.LintReport{Findings: append(run.report.Findings, placed(dir, result.Findings)...), Unproven: result.Unproven, Pairs: result.Pairs}
	return run, nil
}

// fail makes errors of the compiler, or in the configuration, the report.
func (r *lintRun) fail(diags diag.List) {
	r.broken = true
	for _, d := range diags {
		if d.Severity == diag.Error {
			r.add(d)
		}
	}
}

// warn makes warnings of the compiler part of the report where it left something
// out that the rules do not see then, and none says something of the same line.
func (r *lintRun) warn(diags diag.List, findings []lint.Finding) {
	for _, d := range diags {
		told := slices.ContainsFunc(findings, func(f lint.Finding) bool {
			return f.Subject.Filename == d.Subject.Filename && f.Subject.Start.Line == d.Subject.Start.Line
		})
		if (d.Code == diag.ConstantCondition || d.Code == diag.NoEffect) && !told {
			r.add(d)
		}
	}
}

func (r *lintRun) add(d diag.Diagnostic) {
	rule := lint.Rule{ID: d.Code, Summary: d.Summary, Severity: d.Severity}
	r.report.Findings = append(r.report.Findings, lint.Finding{Rule: rule, Severity: d.Severity, Subject: d.Subject, Detail: d.Detail, Hint: d.Hint})
}

// readLintConfig reads the configuration; a directory need not have one.
func readLintConfig(dir, file string) (*lintconfig.Config, diag.List, error) {
	name := file
	if file == "" {
		name = filepath.Join(dir, lintconfig.Name)
	}
	src, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && file == "" {
		return &lintconfig.Config{}, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read lint configuration: %w", err)
	}
	config, diags := lintconfig.Parse(name, src)
	return config, diags, nil
}

// lintInput gathers what the rules read. The set has compiled.
func (t *tool) lintInput(dir string, set *policySet) (lint.Input, error) {
	catalogue, err := policies.Catalogue()
	if err != nil {
		return lint.Input{}, fmt.Errorf("read catalogue: %w", err)
	}
	resolved, _ := resolve.Resolve(set.policy, catalogue)
	in := lint.Input{Policy: set.policy, Set: resolved, Session: sessionOf(os.Getenv("SSH_CONNECTION")), Now: time.Now()}
	if in.Files, err = outlines(dir, set.policy); err != nil {
		return lint.Input{}, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return lint.Input{}, fmt.Errorf("read policy directory: %w", err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), lang.TestSuffix) && e.Type().IsRegular() {
			text, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				return lint.Input{}, fmt.Errorf("read test file: %w", err)
			}
			in.Tests = append(in.Tests, string(text))
		}
	}
	return in, nil
}

// outlines outlines the files of a policy set: those of its directory, and those
// of the modules that they use. What lang did not read is not outlined.
func outlines(dir string, policy *lang.Policy) ([]*outline.File, error) {
	var out []*outline.File
	seen := map[string]bool{}
	for todo := []string{"."}; len(todo) > 0; todo = todo[1:] {
		directory := todo[0]
		if seen[directory] {
			continue
		}
		seen[directory] = true
		entries, err := os.ReadDir(filepath.Join(dir, filepath.FromSlash(directory)))
		if err != nil {
			return nil, fmt.Errorf("read policy directory: %w", err)
		}
		for _, e := range entries {
			name := path.Join(directory, e.Name())
			src := policy.Source(filepath.FromSlash(name))
			if !strings.HasSuffix(name, lang.PolicySuffix) || src == nil {
				continue
			}
			if f := outline.Parse(name, src); f != nil {
				out = append(out, f)
				todo = append(todo, f.Modules...)
			}
		}
	}
	return out, nil
}

// sessionOf reads SSH_CONNECTION, "client port server port" (sshd(8)); the
// zero Session where there is none.
func sessionOf(value string) lint.Session {
	fields := strings.Fields(value)
	if len(fields) != 4 {
		return lint.Session{}
	}
	client, err1 := netip.ParseAddr(fields[0])
	router, err2 := netip.ParseAddr(fields[2])
	port, err3 := strconv.Atoi(fields[3])
	if err1 != nil || err2 != nil || err3 != nil || port < 1 || port > 65535 {
		return lint.Session{}
	}
	return lint.Session{Client: client, Router: router, Port: port}
}

// placed is the findings with file names that lead from the working directory
// to the file.
func placed(dir string, list []lint.Finding) []lint.Finding {
	place := func(r diag.Range) diag.Range {
		if r.Filename != "" && !filepath.IsAbs(r.Filename) && strings.HasSuffix(r.Filename, lang.PolicySuffix) {
			r.Filename = filepath.Join(dir, r.Filename)
		}
		return r
	}
	out := make([]lint.Finding, len(list))
	for i, f := range list {
		f.Subject = place(f.Subject)
		related := make([]lint.Related, len(f.Related))
		for j, r := range f.Related {
			related[j] = lint.Related{Range: place(r.Range), Text: r.Text}
		}
		f.Related = related
		out[i] = f
	}
	return out
}
