package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler/lint"
	lintdocs "github.com/netpol/netpol/docs/lint"
	"github.com/netpol/netpol/lang/diag"
)

// exitFindings is netpol lint's code for findings that are grave enough.
const exitFindings exitCode = 2

type lintArgs struct {
	only    []string
	minimum string
	format  string
	config  string
	explain string
	fix     bool
	list    bool
}

func newLintCommand(t *tool) *cobra.Command {
	var a lintArgs
	cmd := &cobra.Command{
		Use:   "lint [POLICIES]",
		Short: "Find what is allowed but probably not meant",
		Long: `Look for policies that can never apply, shadow each other or conflict, for
weak evidence that decides, marks of other programs, a closed way to the
router, and more. What a finding says of flows is proven over all flows and
shown with an example. Rules are listed by --list and explained by --explain.

The file .netpol-lint.hcl in the policy directory sets levels and options. A
comment  # netpol-ignore: NP0503 the reason  above a block or line, or behind
it, silences a rule there.

Exit codes: 0 nothing of the minimum severity was found, 1 error (the policies
do not compile, too), 2 findings.`,
		Example: `  netpol lint
  netpol lint --fix policies
  netpol lint --format sarif policies > lint.sarif
  netpol lint --explain shadowed-policy`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeDirs,
		RunE:              func(_ *cobra.Command, args []string) error { return t.lint(a, args) },
	}
	t.addPolicyFlags(cmd)
	cmd.Flags().StringSliceVar(&a.only, "only", nil, "run these `rules` only, by id or name")
	cmd.Flags().StringVar(&a.minimum, "minimum-failure-severity", "", "lowest `severity` that makes the exit code 2: error, warning (the default) or note")
	cmd.Flags().StringVar(&a.format, "format", "", "output `format`: "+strings.Join(lintFormatNames(), ", ")+" (default text, or github when GITHUB_ACTIONS=true)")
	cmd.Flags().StringVar(&a.config, "config", "", "configuration `file` instead of .netpol-lint.hcl in the policy directory")
	cmd.Flags().StringVar(&a.explain, "explain", "", "print the page of a `rule`")
	cmd.Flags().BoolVar(&a.fix, "fix", false, "change the files where a rule knows how")
	cmd.Flags().BoolVar(&a.list, "list", false, "list the rules")
	completeRules(cmd)
	return cmd
}

func lintFormatNames() []string {
	var names []string
	for _, f := range view.LintFormats() {
		names = append(names, f.Name)
	}
	return names
}

// completeRules makes shells complete rules and formats.
func completeRules(cmd *cobra.Command) {
	rules := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var out []string
		for _, r := range lint.Rules() {
			out = append(out, r.Slug+"\t"+r.Summary)
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
	for flag, complete := range map[string]cobra.CompletionFunc{
		"only": rules, "explain": rules,
		"format":                   cobra.FixedCompletions(lintFormatNames(), cobra.ShellCompDirectiveNoFileComp),
		"minimum-failure-severity": cobra.FixedCompletions([]string{"error", "warning", "note"}, cobra.ShellCompDirectiveNoFileComp),
	} {
		if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
			panic(err) // the flag does not exist: a mistake in this package
		}
	}
}

func (t *tool) lint(a lintArgs, args []string) error {
	switch {
	case a.list:
		return view.LintRules(t.Out, lint.Rules())
	case a.explain != "":
		return t.explainRule(a.explain)
	}
	format, err := a.output()
	if err != nil {
		return err
	}
	dir, err := t.policyDir(args)
	if err != nil {
		return err
	}
	run, err := t.lintDir(dir, a)
	if err != nil {
		return err
	}
	if a.fix && !run.broken {
		if run, err = t.fixDir(dir, a, run); err != nil {
			return err
		}
	}
	if err := format.Write(t.Out, run.report, run.set.source, t.style(t.Out)); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	switch {
	case run.broken:
		return exitError
	case slices.ContainsFunc(run.report.Findings, func(f lint.Finding) bool { return f.Severity <= run.minimum }):
		return exitFindings
	}
	return nil
}

func (t *tool) explainRule(name string) error {
	r, ok := lint.Find(name)
	if !ok {
		return fmt.Errorf("no rule is named %q; netpol lint --list shows them", name)
	}
	page, err := fs.ReadFile(lintdocs.Pages(), r.Page())
	if err != nil {
		return fmt.Errorf("read page of %s: %w", r.ID, err)
	}
	return view.LintRule(t.Out, r, string(page))
}

// output picks the format.
func (a *lintArgs) output() (view.LintFormat, error) {
	name := cmp.Or(a.format, defaultFormat())
	formats := view.LintFormats()
	i := slices.IndexFunc(formats, func(f view.LintFormat) bool { return f.Name == name })
	if i < 0 {
		return view.LintFormat{}, fmt.Errorf("--format %s: the formats are %s", name, strings.Join(lintFormatNames(), ", "))
	}
	return formats[i], nil
}

// fixDir makes the fixes and lints what has come of it.
func (t *tool) fixDir(dir string, a lintArgs, run *lintRun) (*lintRun, error) {
	fixed := 0
	// A fix that overlaps another waits for the next round. Each round makes the
	// files simpler; the bound is against a rule that would undo another's fix.
	for range 10 {
		files, n := lint.ApplyFixes(run.raw, run.set.policy.Source)
		if n == 0 {
			break
		}
		for name, text := range files {
			if err := writeFile(filepath.Join(dir, name), text); err != nil {
				return nil, err
			}
		}
		fixed += n
		next, err := t.lintDir(dir, a)
		if err != nil {
			return nil, err
		}
		if run = next; run.broken {
			break
		}
	}
	run.report.Fixed = fixed
	return run, nil
}

// minimumSeverity is the threshold: the flag, else the configuration, else
// warning.
func minimumSeverity(flag, configured string) (diag.Severity, error) {
	word := flag
	if word == "" {
		word = configured
	}
	if word == "" {
		return diag.Warning, nil
	}
	s, ok := lint.ParseSeverity(word)
	if !ok {
		return s, errors.New("the minimum failure severity is error, warning or note, not " + word)
	}
	return s, nil
}
