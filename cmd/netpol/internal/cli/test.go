package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/policytest"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/policies"
)

type testArgs struct {
	dir      string
	run      string // regular expression; empty for all
	junit    string // file; empty for none
	format   string
	coverage bool
	bench    bool
}

const testLong = `Run the tests of a policy directory (default: the working directory): the
*.nptest.hcl files in it. A test names a flow, by its attributes or out of a capture,
and says what must become of it:

  test "calls go first" {
    flow {
      application = "zoom"
      src_ip      = "192.168.1.10"
    }
    expect {
      policies = ["prioritize-zoom"]
      dscp     = "cs5"
    }
  }

Steps are later moments of the flow, with more bytes, at another time, or without netpold:

  step {
    total_bytes = "20MB"
    expect {
      dscp = "cs1"
    }
  }

The policies run as on a router: compiled to a bundle, in netpold's decision program,
captures through netpold's engine; and each packet goes through the bundle's own nftables
rules, hook by hook. docs/testing.md has the whole language of tests.

Exit codes: 0 all tests passed, 1 one failed, a file is faulty, or there is no test.`

func newTestCommand(t *tool) *cobra.Command {
	var a testArgs
	cmd := &cobra.Command{
		Use:   "test [POLICIES]",
		Short: "Run the tests beside the policies",
		Long:  testLong,
		Example: `  netpol test
  netpol test --run 'zoom|teams' --coverage /etc/netpol
  netpol test --junit report.xml policies
  netpol test --format github policies`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeDirs,
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if a.dir, err = t.policyDir(args); err != nil {
				return err
			}
			return t.test(cmd.Context(), a)
		},
	}
	cmd.Flags().StringVar(&a.run, "run", "", "run only tests whose name this regular `expression` matches")
	cmd.Flags().StringVar(&a.junit, "junit", "", "write the results to this `file` as JUnit XML, too")
	cmd.Flags().BoolVar(&a.coverage, "coverage", false, "list policies that never matched and terms that were never true or never false")
	cmd.Flags().BoolVar(&a.bench, "bench", false, "measure the decision program on each test's flows")
	t.addPolicyFlags(cmd)
	t.addFormatFlag(cmd, &a.format)
	mustCompleteWith(cmd, "run", t.testNames)
	return cmd
}

func (t *tool) test(ctx context.Context, a testArgs) error {
	format, err := t.pickFormat(a.format)
	if err != nil {
		return err
	}
	a.format = format
	opts := policytest.Options{Coverage: a.coverage, Bench: a.bench}
	if a.run != "" {
		re, err := regexp.Compile(a.run)
		if err != nil {
			return fmt.Errorf("--run: %w", err)
		}
		opts.Run = re
	}
	suite, err := t.testSuite(a.dir)
	if err != nil {
		return err
	}
	if suite.Len() == 0 {
		return fmt.Errorf("no tests: %s holds no test in files whose name ends in %s", a.dir, lang.TestSuffix)
	}
	report := suite.Run(ctx, opts)
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if len(report.Results) == 0 {
		return fmt.Errorf("no test has a name that --run %q matches", a.run)
	}
	if err := t.showTests(a, report); err != nil {
		return err
	}
	if report.Failed > 0 {
		return exitError
	}
	return nil
}

// showTests writes the report wherever it is wanted.
func (t *tool) showTests(a testArgs, report *policytest.Report) error {
	if a.junit != "" {
		var b bytes.Buffer
		if err := view.TestJUnit(&b, report); err != nil {
			return err
		}
		if err := writeFile(a.junit, b.Bytes()); err != nil {
			return err
		}
	}
	switch a.format {
	case formatText:
		return view.TestReport(t.Out, report, t.style(t.Out))
	case formatJSON:
		return view.TestJSON(t.Out, report)
	case "junit":
		return view.TestJUnit(t.Out, report)
	case formatGitHub: // which shows the rest of the output as it is
		if err := view.TestReport(t.Out, report, t.style(t.Out)); err != nil {
			return err
		}
	}
	return view.WriteFindings(t.Out, a.format, view.TestFindings(report))
}

// testSuite compiles a directory and reads its tests. The faults of both are
// told in one run.
func (t *tool) testSuite(dir string) (*policytest.Suite, error) {
	set, suite, err := t.compileWithTests(dir, alwaysPrepare)
	if err != nil {
		return nil, err
	}
	if err := t.report(set.diags, set.source); err != nil {
		return nil, err
	}
	return suite, nil
}

// prepareWhen says when a suite is made ready to run, which takes as much memory
// as the enforcer would.
type prepareWhen uint8

const (
	alwaysPrepare    prepareWhen = iota
	prepareIfAnyTest             // for the faults of tests, of which there may be none
)

// compileWithTests is compileDir with the tests of the directory, whose faults
// are among the set's. The suite is nil when there are errors, or no need for it.
func (t *tool) compileWithTests(dir string, when prepareWhen) (*policySet, *policytest.Suite, error) {
	set, err := t.compileDir(dir, foreign{})
	if err != nil {
		return nil, nil, err
	}
	tests, diags := lang.ParseTestDir(dir)
	set.tests = tests
	var suite *policytest.Suite
	if !set.diags.HasErrors() && (when == alwaysPrepare || len(tests.Tests) > 0) {
		catalogue, err := policies.Catalogue()
		if err != nil {
			return nil, nil, fmt.Errorf("read catalogue: %w", err)
		}
		var more diag.List
		suite, more, err = policytest.Prepare(policytest.Input{
			Policy: set.policy, Bundle: set.bundle, Catalogue: catalogue, Tests: tests,
			ParseTuple: func(s string) (flow.Tuple, error) { return parseTuple([]string{s}) },
		})
		if err != nil {
			return nil, nil, err
		}
		diags.Extend(more)
	}
	placeIn(dir, diags)
	set.diags.Extend(diags)
	return set, suite, nil
}

// placeIn makes the diagnostics' file names lead from the working directory.
func placeIn(dir string, diags diag.List) {
	for i := range diags {
		if name := diags[i].Subject.Filename; name != "" {
			diags[i].Subject.Filename = filepath.Join(dir, name)
		}
	}
}

// testNames are the names of the tests in the working directory, for
// completion.
func (t *tool) testNames() []string {
	dir := "."
	if t.flags.policy != "" {
		dir = t.flags.policy
	}
	if _, err := os.Stat(dir); err != nil {
		return nil
	}
	tests, _ := lang.ParseTestDir(dir)
	names := make([]string, len(tests.Tests))
	for i, x := range tests.Tests {
		names[i] = regexp.QuoteMeta(x.Name)
	}
	return names
}
