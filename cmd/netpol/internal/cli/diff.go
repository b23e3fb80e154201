package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/policydiff"
	"github.com/netpol/netpol/cmd/netpol/internal/revision"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/policies"
)

type diffArgs struct {
	old, new string
	replay   []string // captures
	markdown bool
}

const diffLong = `Say what changes in meaning between two policy sets: which policies were added,
removed, changed or moved, and for each kind of flow that is then treated otherwise a
flow that shows it, with what becomes of it before and after. Changes that no flow can
tell, such as a condition written another way, are no changes.

OLD and NEW are directories, or REVISION:PATH for a directory at a git revision; the
path is relative to the top of the repository, or with ./ to the working directory. A
REVISION alone means the other one's directory at that revision.

The sets are compared over all flows, at all times that schedules speak of, as netpold
and the kernel decide them together. "Equivalent" and "that is all" are proofs for that.
What becomes of flows while netpold does not answer is tried with some flows of the
changed policies that fail closed, and not proved. What could not be ruled out and not be shown either, such as two regular expressions of
which no text is known that tells them apart, is listed. Each flow that is shown has
been run through both sets: the decision program and the nftables rules.

Exit codes: 0 nothing changes, as far as can be told, 1 error, 2 something changes.`

func newDiffCommand(t *tool) *cobra.Command {
	var a diffArgs
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say what changes in meaning between two policy sets",
		Long:  diffLong,
		Example: `  netpol diff /etc/netpol policies
  netpol diff main:policies policies
  netpol diff HEAD~1 .
  netpol diff --markdown origin/main:policies policies > comment.md
  netpol diff --replay yesterday.pcap HEAD~1:./ .`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: completeDirs,
		RunE: func(cmd *cobra.Command, args []string) error {
			a.old, a.new = args[0], args[1]
			return t.diff(cmd.Context(), a)
		},
	}
	cmd.Flags().StringArrayVar(&a.replay, "replay", nil, "also count what changes for the flows of this capture `file`; may be repeated")
	if err := cmd.MarkFlagFilename("replay", "pcap", "pcapng", "cap"); err != nil {
		panic(err) // the flag is one line above
	}
	cmd.Flags().BoolVar(&a.markdown, "markdown", false, "print Markdown, for a comment on a merge or pull request")
	t.addVarFlag(cmd)
	t.addJSONFlag(cmd)
	cmd.MarkFlagsMutuallyExclusive("json", "markdown")
	return cmd
}

func (t *tool) diff(ctx context.Context, a diffArgs) error {
	before, err := t.compileSource(ctx, revisionOf(a.old, a.new))
	if err != nil {
		return err
	}
	after, err := t.compileSource(ctx, revisionOf(a.new, a.old))
	if err != nil {
		return err
	}
	catalogue, err := policies.Catalogue()
	if err != nil {
		return fmt.Errorf("read catalogue: %w", err)
	}
	was := policydiff.Source{Policy: before.policy, Bundle: before.bundle, Catalogue: catalogue}
	is := policydiff.Source{Policy: after.policy, Bundle: after.bundle, Catalogue: catalogue}
	report, err := policydiff.Compare(ctx, was, is)
	if err == nil && len(a.replay) > 0 {
		report.Replay, err = policydiff.ReplayBoth(ctx, was, is, a.replay)
	}
	if err != nil {
		return err
	}
	if report.Replay != nil && report.Replay.ChangedFlows > 0 {
		report.Result = policydiff.Changed // whatever the search has found
	}
	switch {
	case t.json:
		err = view.PolicyDiffJSON(t.Out, report)
	case a.markdown:
		err = view.PolicyDiffMarkdown(t.Out, report)
	default:
		err = view.PolicyDiff(t.Out, report, t.style(t.Out))
	}
	if err == nil && report.Result == policydiff.Changed {
		return exitChanges
	}
	return err
}

// revisionOf is a source that may be a revision alone: the other one's
// directory at that revision. A directory of that name is meant first.
func revisionOf(source, other string) string {
	if isDir(source) || strings.Contains(source, ":") || !isDir(other) || filepath.IsAbs(other) || strings.HasPrefix(source, ".") || strings.HasPrefix(source, "/") {
		return source
	}
	return source + ":./" + filepath.ToSlash(filepath.Clean(other))
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// compileSource compiles a directory, or one of a git revision, and fails
// after printing if it has errors. Warnings are left to validate.
func (t *tool) compileSource(ctx context.Context, source string) (*policySet, error) {
	set, err := t.readSource(ctx, source)
	if err != nil {
		return nil, err
	}
	if !set.diags.HasErrors() {
		return set, nil
	}
	return nil, errors.Join(t.report(set.diags, set.source))
}

func (t *tool) readSource(ctx context.Context, source string) (*policySet, error) {
	if isDir(source) || !strings.Contains(source, ":") {
		return t.compileDir(source, foreign{})
	}
	files, err := revision.Read(ctx, source)
	if err != nil {
		return nil, err
	}
	return t.compileFiles(source, files, foreign{})
}
