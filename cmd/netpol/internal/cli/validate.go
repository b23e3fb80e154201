package cli

import (
	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
)

func newValidateCommand(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "validate [POLICIES]",
		Short: "Check policy files without touching anything",
		Long: `Check the policy files of a directory (default: the working directory).

validate compiles the policies and throws the result away. It needs neither a
kernel nor root, so it fits editors and CI.

Exit codes: 0 the policies are valid (there may be warnings), 1 they are not.`,
		Example: `  netpol validate
  netpol validate /etc/netpol
  netpol validate --json policies | jq .diagnostics`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeDirs,
		RunE:              func(_ *cobra.Command, args []string) error { return t.validate(args) },
	}
	t.addPolicyFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

func (t *tool) validate(args []string) error {
	dir, err := t.policyDir(args)
	if err != nil {
		return err
	}
	set, err := t.compileDir(dir, foreign{})
	if err != nil {
		return err
	}
	if !t.json {
		if err := t.report(set.diags, set.source); err != nil {
			return err
		}
		return view.Valid(t.Out, set.bundle, t.style(t.Out))
	}
	set.diags.Sort()
	if err := view.DiagnosticsJSON(t.Out, set.diags); err != nil {
		return err
	}
	if set.diags.HasErrors() {
		return exitError
	}
	return nil
}
