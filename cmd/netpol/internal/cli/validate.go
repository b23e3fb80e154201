package cli

import (
	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/router"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
)

type validateArgs struct {
	dir    string
	kernel bool
	format string
}

func newValidateCommand(t *tool) *cobra.Command {
	var a validateArgs
	cmd := &cobra.Command{
		Use:   "validate [POLICIES]",
		Short: "Check policy files without touching anything",
		Long: `Check the policy files of a directory (default: the working directory).

validate compiles the policies and throws the result away. It needs neither a
kernel nor root, so it fits editors and CI. All mistakes are told in one run,
those of the test files among them.

With --kernel the nftables table is also given to this host's kernel, which checks
the transaction as if to carry it out and then drops it: what "nft -c" does. That
needs CAP_NET_ADMIN in a network namespace, any will do.

Exit codes: 0 the policies are valid (there may be warnings), 1 they are not, or the
kernel would not take the table.`,
		Example: `  netpol validate
  netpol validate /etc/netpol
  netpol validate --json policies | jq .diagnostics
  netpol validate --format sarif policies > validate.sarif
  unshare --map-root-user --net netpol validate --kernel policies`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeDirs,
		RunE: func(_ *cobra.Command, args []string) error {
			var err error
			if a.dir, err = t.policyDir(args); err != nil {
				return err
			}
			return t.validate(a)
		},
	}
	cmd.Flags().BoolVar(&a.kernel, "kernel", false, "have this host's kernel check the nftables table, too")
	t.addPolicyFlags(cmd)
	t.addFormatFlag(cmd, &a.format)
	return cmd
}

func (t *tool) validate(a validateArgs) error {
	format, err := t.pickFormat(a.format)
	if err != nil {
		return err
	}
	set, _, err := t.compileWithTests(a.dir, prepareIfAnyTest)
	if err != nil {
		return err
	}
	set.diags.Sort()
	if format == formatText {
		if err := t.report(set.diags, set.source); err != nil {
			return err
		}
	}
	if a.kernel && !set.diags.HasErrors() {
		if err := router.Check(set.bundle); err != nil {
			return err
		}
	}
	switch format {
	case formatText:
		return view.Valid(t.Out, set.bundle, a.kernel, t.style(t.Out))
	case formatJSON:
		err = view.DiagnosticsJSON(t.Out, set.diags)
	default:
		err = view.WriteFindings(t.Out, format, view.DiagnosticFindings(set.diags))
	}
	if err == nil && set.diags.HasErrors() {
		return exitError
	}
	return err
}
