package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/scaffold"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
)

type initArgs struct {
	dir string
	ci  string
}

func newInitCommand(t *tool) *cobra.Command {
	var a initArgs
	cmd := &cobra.Command{
		Use:   "init DIR",
		Short: "Begin a repository of policies",
		Long: `Write what a repository of policies begins with into a directory: policies with
comments and their tests (policies/), the lock file, .gitignore and .gitattributes, a
README for the team, and with --ci a pipeline that checks changes, says what they mean
and signs releases. A file that is there is never overwritten: then nothing is written.

Exit codes: 0 written, 1 error.`,
		Example: `  netpol init network
  netpol init --ci github network && cd network && git init
  netpol test network/policies`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeDirs,
		RunE: func(_ *cobra.Command, args []string) error {
			a.dir = args[0]
			return t.initDir(a)
		},
	}
	cmd.Flags().StringVar(&a.ci, "ci", scaffold.None, "`pipeline` to write: github, gitlab or none")
	if err := cmd.RegisterFlagCompletionFunc("ci", cobra.FixedCompletions(scaffold.CIs(), cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag is one line above
	}
	t.addJSONFlag(cmd)
	return cmd
}

func (t *tool) initDir(a initArgs) error {
	files, err := scaffold.Files(scaffold.Options{CI: a.ci})
	if err != nil {
		return err
	}
	return t.writeInit(a.dir, files, foreign{})
}

// writeInit writes a new repository, and the lock file that goes with its policies.
func (t *tool) writeInit(dir string, files []scaffold.File, others foreign) error {
	if err := scaffold.Write(dir, files); err != nil {
		return err
	}
	policies := filepath.Join(dir, scaffold.PolicyDir)
	set, err := t.mustCompile(policies, others)
	if err != nil {
		return fmt.Errorf("%s: what was written does not compile here: %w", policies, err)
	}
	pins, err := set.lockUpdate()
	if err != nil {
		return err
	}
	if err := pins.write(); err != nil {
		return err
	}
	written := view.Begun{Dir: dir, Policies: policies}
	for _, f := range files {
		written.Files = append(written.Files, f.Name)
	}
	if pins.changed() {
		written.Files = append(written.Files, scaffold.PolicyDir+"/"+filepath.Base(pins.path))
	}
	return view.BegunRepository(t.Out, written, t.json)
}
