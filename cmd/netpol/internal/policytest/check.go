package policytest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/suggest"
)

// Codes of this package's diagnostics: NP0601 to NP0609.
const (
	codePolicy  = "NP0601"
	codeLabel   = "NP0602"
	codeCapture = "NP0603"
	codeTuple   = "NP0604"
)

var summaries = map[string]string{
	codePolicy:  "Unknown policy",
	codeLabel:   "Unknown label",
	codeCapture: "Unusable capture",
	codeTuple:   "Invalid connection",
}

func mistake(code string, at diag.Range, detail string) diag.Diagnostic {
	return diag.Diagnostic{Severity: diag.Error, Code: code, Summary: summaries[code], Detail: detail, Subject: at}
}

// checkNames reports expected policies and labels that the set does not have:
// such a test could only ever fail.
func (s *Suite) checkNames(e *lang.Expectation, diags *diag.List) {
	for _, wanted := range []*lang.TextList{e.Policies, e.Audited} {
		if wanted == nil {
			continue
		}
		names := make([]string, len(s.in.Bundle.Policies))
		for i, p := range s.in.Bundle.Policies {
			names[i] = p.Name
		}
		for _, t := range wanted.Items {
			if slices.Contains(names, t.Value) {
				continue
			}
			detail := fmt.Sprintf("No policy is named %q.", t.Value)
			for _, p := range s.in.Policy.Policies {
				if p.Name == t.Value {
					detail = fmt.Sprintf("The policy %q is switched off or can never match, so it never does.", t.Value)
				}
			}
			diags.Add(mistake(codePolicy, t.Range, detail).WithHint(suggest.Hint(t.Value, names)))
		}
	}
	if e.Labels != nil {
		var names []string
		for _, l := range s.in.Bundle.Labels {
			if !l.Auto {
				names = append(names, l.Name)
			}
		}
		for _, t := range e.Labels.Items {
			if !slices.Contains(names, t.Value) {
				diags.Add(mistake(codeLabel, t.Range, fmt.Sprintf("No policy sets the label %q.", t.Value)).WithHint(suggest.Hint(t.Value, names)))
			}
		}
	}
}

// maxCapture bounds a capture, in bytes: tests run on every change.
const maxCapture = 1 << 30

// checkCapture reports a capture that is outside of the policy directory or
// cannot be one. os.Root follows links only as long as they stay inside.
func (s *Suite) checkCapture(t lang.Text, diags *diag.List) {
	bad := func(format string, args ...any) {
		diags.Add(mistake(codeCapture, t.Range, fmt.Sprintf(format, args...)))
	}
	if !filepath.IsLocal(t.Value) || strings.ContainsRune(t.Value, 0) {
		bad("%q leads out of the policy directory. Captures of tests stand in it or below it, and are written relative to it.", t.Value)
		return
	}
	root, err := os.OpenRoot(s.in.Tests.Dir)
	if err != nil {
		bad("The policy directory cannot be opened: %v.", err)
		return
	}
	defer root.Close()
	info, err := root.Stat(t.Value)
	switch {
	case err != nil:
		bad("The capture cannot be used: %v.", pathReason(err))
	case !info.Mode().IsRegular():
		bad("%q is not a regular file.", t.Value)
	case info.Size() > maxCapture:
		bad("%q is larger than %d MiB, which is too much for a test.", t.Value, maxCapture>>20)
	}
}

// pathReason is an error without the operation and the path.
func pathReason(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
