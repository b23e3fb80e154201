package cli

import (
	"context"
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/router"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler/artifact"
)

var errNothingToRestore = errors.New("nothing was applied on this router that could be put back; netpol apply does that")

func newRestoreCommand(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore [POLICIES]",
		Short: "Put back in force what was applied last",
		Long: `Bring this router back to the bundle that was applied last, without looking at the
policy files: after a reboot, or when somebody flushed or changed netpol's table.
It does not ask. A change that was not confirmed before a reboot, or whose deadline
cannot be read any more, is taken back; an apply that was killed midway is finished
or taken back. If the bundle cannot be
read, the newest revision that can is used, and then the policy directory.

netpol-apply.service calls it at boot, netpold when the table is gone.

Exit codes: 0 restored, or nothing to do; 1 error.`,
		Example: `  sudo netpol restore
  sudo netpol restore /etc/netpol`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeDirs,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := ""
			if len(args) == 1 {
				dir = args[0]
			}
			return t.restore(cmd.Context(), dir)
		},
	}
	t.addRouterFlags(cmd)
	t.addLockFlag(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

func (t *tool) restore(ctx context.Context, dir string) error {
	b, err := t.restoreApplied(ctx)
	if err != nil || b != nil {
		return err
	}
	if dir == "" {
		return errNothingToRestore
	}
	return t.applyPolicies(ctx, applyArgs{dir: dir, autoApprove: true})
}

// restoreApplied puts back what the state directory holds; nil means that it
// holds nothing.
func (t *tool) restoreApplied(ctx context.Context) (*artifact.Bundle, error) {
	unlock, err := t.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	r := t.router()
	p, damaged, err := r.Waiting()
	switch {
	case err == nil && damaged != nil:
		_ = t.progress("%v; revision %d is taken back", damaged, p.Serial)
		return &artifact.Bundle{}, t.takeBack(r, p)
	case err == nil && p.Left() <= 0:
		return &artifact.Bundle{}, t.takeBack(r, p)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		_ = t.progress("%v", err)
	}
	live, err := r.Read()
	if err != nil {
		return nil, err
	}
	b, err := t.lastGood(r, live)
	if b == nil || err != nil {
		return nil, err
	}
	return b, t.putBack(r, live, b)
}

// lastGood is the applied bundle, or the newest revision if that is damaged.
func (t *tool) lastGood(r router.Router, live *router.Live) (*artifact.Bundle, error) {
	if live.Bundle != nil {
		return live.Bundle, nil
	}
	if live.Damaged() == nil {
		return nil, nil
	}
	if err := t.progress("%v", live.Damaged()); err != nil {
		return nil, err
	}
	history, _ := r.History() // what can be read of it
	for _, rev := range history {
		b, err := r.Bundle(rev.Serial)
		if err == nil {
			return b, t.progress("Taking revision %d instead", rev.Serial)
		}
	}
	return nil, nil
}

func (t *tool) putBack(r router.Router, live *router.Live, b *artifact.Bundle) error {
	changes := r.Diff(live, b)
	if len(changes) > 0 {
		if err := r.ApplyAs(b, live, router.Meta{Operation: router.OpApply, Message: "restored"}, t.step); err != nil {
			return err
		}
	}
	if err := t.tellEnforcer(b.Digest(), len(changes) > 0); err != nil {
		return err
	}
	if err := live.ClearRetired(b, [16]byte{}, t.step); err != nil {
		return err
	}
	if t.json {
		return view.RestoredJSON(t.Out, view.Count(changes), b.Digest())
	}
	return view.Restored(t.Out, view.Count(changes), t.style(t.Out))
}
