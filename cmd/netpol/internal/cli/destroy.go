package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/enforcer/reconcile"
)

func newDestroyCommand(t *tool) *cobra.Command {
	var autoApprove bool
	cmd := &cobra.Command{
		Use:   "destroy",
		Short: "Remove everything of netpol from this router",
		Long: `Remove the nftables table, netpol's lines of the connlabel.conf files, the labels
and marks on open connections, and the state directory's bundle and history. A running netpold stops looking at packets and waits
for the next apply. Tables and lines of others stay, and so do your policy files
and their lock file.

Exit codes: 0 removed, or nothing to remove; 1 error, or not approved.`,
		Example: `  sudo netpol destroy
  sudo netpol destroy --auto-approve`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return t.destroy(cmd.Context(), autoApprove) },
	}
	cmd.Flags().BoolVar(&autoApprove, "auto-approve", false, "do not ask")
	t.addRouterFlags(cmd)
	t.addLockFlag(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

func (t *tool) destroy(ctx context.Context, autoApprove bool) error {
	r := t.router()
	live, err := r.Read()
	if err != nil {
		return err
	}
	changes := r.Diff(live, nil)
	if err := t.showDestroy(changes); err != nil {
		return err
	}
	if len(changes) == 0 {
		return nil
	}
	if !autoApprove {
		if err := t.ask(ctx, "Remove all this from the router?"); err != nil {
			return err
		}
	}
	unlock, err := t.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if live, err = r.Read(); err != nil {
		return err
	}
	if err := errors.Join(r.Confirm(), r.RemoveBundle()); err != nil {
		return err
	}
	if err := t.tellEnforcer("", true); err != nil {
		return err
	}
	if err := r.Destroy(live, t.step); err != nil {
		return err
	}
	// Only now: while something is left, no older release may come in.
	if err := errors.Join(r.ForgetPulled(), r.RemoveStateDir()); err != nil {
		return err
	}
	if t.json {
		return view.DestroyedJSON(t.Out, view.Count(changes))
	}
	return view.Destroyed(t.Out, view.Count(changes), t.style(t.Out))
}

func (t *tool) showDestroy(changes []reconcile.Change) error {
	if t.json {
		return view.PlanJSON(t.Out, changes, "")
	}
	return view.DestroyPlan(t.Out, changes, t.style(t.Out))
}
