package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/propose"
	"github.com/netpol/netpol/cmd/netpol/internal/scaffold"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler"
)

type initArgs struct {
	dir  string
	ci   string
	live bool
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

With --from-live the policies are a proposal made from this router: its networks, the rules
of nftables and iptables that set code points, marks and priorities, the classes of its
queues, labels and marks of others, its connections, and what a running netpold has named.
Comments say where each part comes from, and which rules have no policy. The router is looked
at and not changed. Rules are listed by nft and iptables-save where they are installed; all of
it needs CAP_NET_ADMIN, and what could not be read is told.

Exit codes: 0 written, 1 error.`,
		Example: `  netpol init network
  netpol init --ci github network && cd network && git init
  netpol test network/policies
  sudo netpol init --from-live network`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeDirs,
		RunE: func(cmd *cobra.Command, args []string) error {
			a.dir = args[0]
			return t.initDir(cmd.Context(), a)
		},
	}
	cmd.Flags().StringVar(&a.ci, "ci", scaffold.None, "`pipeline` to write: github, gitlab or none")
	if err := cmd.RegisterFlagCompletionFunc("ci", cobra.FixedCompletions(scaffold.CIs(), cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag is one line above
	}
	cmd.Flags().BoolVar(&a.live, "from-live", false, "propose policies from what is on this router")
	t.addRouterFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

func (t *tool) initDir(ctx context.Context, a initArgs) error {
	options, others, found := scaffold.Options{CI: a.ci}, foreign{}, ""
	if a.live {
		var err error
		if others, err = foreignLabels(t.flags.etcDir); err != nil {
			return err
		}
		proposal, err := propose.Make(t.look(ctx, others))
		if err != nil {
			return err
		}
		options.Policies = []scaffold.File{{Name: propose.PolicyFile, Data: proposal.Policies}}
		if proposal.Tests != nil {
			options.Policies = append(options.Policies, scaffold.File{Name: propose.TestFile, Data: proposal.Tests})
		}
		found = fmt.Sprintf("Rules of this router that have a policy in the proposal: %d; that mark packets and have none: %d. The router was not changed", proposal.Rules, proposal.Skipped)
	}
	files, err := scaffold.Files(options)
	if err != nil {
		return err
	}
	return t.writeInit(a.dir, files, others, found)
}

// writeInit writes a new repository, and the lock file that goes with its policies.
// found is what the router was found to have; "" if nobody looked.
func (t *tool) writeInit(dir string, files []scaffold.File, others foreign, found string) error {
	if err := scaffold.Write(dir, files); err != nil {
		return err
	}
	policies := filepath.Join(dir, scaffold.PolicyDir)
	set, err := t.mustCompile(policies, others)
	if err != nil {
		return fmt.Errorf("%s: what was written does not compile here: %w", policies, err)
	}
	pins, err := set.lockUpdate(compiler.Router{})
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
	if found != "" {
		if err := t.progress("%s", found); err != nil {
			return err
		}
	}
	return view.BegunRepository(t.Out, written, t.json)
}
