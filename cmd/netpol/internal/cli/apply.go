package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/planfile"
	"github.com/netpol/netpol/cmd/netpol/internal/revision"
	"github.com/netpol/netpol/cmd/netpol/internal/router"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
)

type applyArgs struct {
	dir         string
	saved       string // plan file; empty: plan now
	autoApprove bool
	message     string
	confirmArgs
	waits time.Duration // as confirmArgs come out
}

var (
	errStalePlan  = errors.New("stale plan: the router has changed since the plan was made; make a new one with netpol plan")
	errStaleLock  = errors.New("stale plan: the lock file has changed since the plan was made; make a new one with netpol plan")
	errNoTerminal = errors.New("there is no terminal to ask on: give --auto-approve to go on without the question")
)

func newApplyCommand(t *tool) *cobra.Command {
	var a applyArgs
	cmd := &cobra.Command{
		Use:   "apply [PLAN | POLICIES]",
		Short: "Make this router do what the policies say",
		Long: `Bring this router in line with a policy directory (default: the working
directory): plan, ask, change. Given a plan file that netpol plan --out saved,
do exactly that, without asking; refuse if the router has changed since.

The nftables table is replaced in one transaction: traffic sees the old rules
or the new, never half of them. An apply that is killed is finished or taken back
by the next one. With --confirm (over ssh the default, 2m) the router goes back to
what it ran before unless netpol confirm is called in time. New labels are pinned in netpol.lock.hcl beside
the policies. The bundle is left in --state-dir, and a running netpold loads it
without losing a flow. A second apply changes nothing.

Exit codes: 0 applied, or nothing to do; 1 error, or not approved.`,
		Example: `  sudo netpol apply
  sudo netpol apply --auto-approve /etc/netpol
  sudo netpol apply router.np
  sudo netpol apply --confirm 2m && sudo netpol confirm`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.target(t, args); err != nil {
				return err
			}
			var err error
			if a.waits, err = a.duration(cmd); err != nil {
				return err
			}
			if a.saved != "" {
				return t.applySaved(cmd.Context(), a)
			}
			return t.applyPolicies(cmd.Context(), a)
		},
	}
	cmd.Flags().BoolVar(&a.autoApprove, "auto-approve", false, "do not ask")
	cmd.Flags().StringVar(&a.message, "message", "", "`text` for the history; otherwise the git commit of the policies")
	a.addFlags(cmd)
	t.addPolicyFlags(cmd)
	t.addRouterFlags(cmd)
	t.addLockFlag(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

// target finds out whether the argument is a saved plan or a directory.
func (a *applyArgs) target(t *tool, args []string) error {
	if len(args) == 1 {
		info, err := os.Stat(args[0])
		if err == nil && info.Mode().IsRegular() {
			a.saved = args[0]
			return nil
		}
	}
	var err error
	a.dir, err = t.policyDir(args)
	return err
}

func (t *tool) applyPolicies(ctx context.Context, a applyArgs) error {
	// A plan before the lock is taken: what cannot be applied leaves not even
	// an empty state directory behind.
	first, err := t.plan(a.dir)
	if err != nil {
		return err
	}
	if len(first.changes) > 0 && !a.autoApprove && !t.canAsk() {
		return errNoTerminal
	}
	unlock, err := t.lockSettled(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	p, err := t.plan(a.dir)
	if err != nil {
		return err
	}
	if err := t.showDrift(p.live); err != nil {
		return err
	}
	if err := t.showPlan(p); err != nil {
		return err
	}
	if len(p.changes) > 0 && !a.autoApprove {
		if err := t.ask(ctx, "Do this on the router?"); err != nil {
			return err
		}
		if err := t.refresh(p); err != nil {
			return err
		}
	}
	return t.carryOut(p, t.metaOf(ctx, a, a.dir))
}

// refresh reads the router again after the time that the answer took: what
// was approved must still be what is about to happen.
func (t *tool) refresh(p *planned) error {
	live, err := t.router().Read()
	if err != nil {
		return err
	}
	if live.Digest() != p.live.Digest() {
		return router.ErrMoved
	}
	p.live = live
	return nil
}

func (t *tool) applySaved(ctx context.Context, a applyArgs) error {
	f, err := os.Open(a.saved)
	if err != nil {
		return fmt.Errorf("read plan: %w", err)
	}
	saved, err := planfile.Decode(f)
	f.Close()
	if err != nil {
		return err
	}
	unlock, err := t.lockSettled(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	p, err := t.revive(saved)
	if err != nil {
		return err
	}
	if err := t.showPlan(p); err != nil {
		return err
	}
	return t.carryOut(p, t.metaOf(ctx, a, filepath.Dir(saved.LockPath)))
}

// revive turns a saved plan back into one for the router as it is now, or
// refuses.
func (t *tool) revive(saved planfile.Plan) (*planned, error) {
	r := t.router()
	live, err := r.Read()
	if err != nil {
		return nil, err
	}
	if live.Digest() != saved.Live {
		return nil, errStalePlan
	}
	if now, _ := r.Current(live); now.Serial != saved.Revision {
		return nil, fmt.Errorf("%w (it was made on revision %d, and revision %d is in force)", errStalePlan, saved.Revision, now.Serial)
	}
	pins, err := readLockUpdate(saved.LockPath, []byte(saved.LockAfter))
	if err != nil {
		return nil, err
	}
	if pins.beforeDigest() != saved.LockBefore {
		return nil, errStaleLock
	}
	return &planned{
		set:     &policySet{bundle: saved.Bundle},
		live:    live,
		changes: r.Diff(live, saved.Bundle),
		pins:    pins,
	}, nil
}

// metaOf is what the history is told of an apply. dir is where the policies are.
func (t *tool) metaOf(ctx context.Context, a applyArgs, dir string) router.Meta {
	meta := router.Meta{Message: a.message, Confirm: a.waits, Guard: t.guard}
	if head, ok := revision.At(ctx, dir); ok {
		meta.Commit, meta.Message = head.Commit, cmp.Or(a.message, head.Subject)
	}
	return meta
}

// applyPinned changes the router and pins the labels once it has them: an apply that
// is refused pins nothing. One that is killed in between loses no pin, because labels in
// force count as pinned and the next apply writes them.
func (t *tool) applyPinned(p *planned, meta router.Meta) error {
	pins, err := p.pins.stage()
	if err != nil {
		return err
	}
	if len(p.changes) == 0 {
		return pins.commit()
	}
	if err := t.router().ApplyAs(p.set.bundle, p.live, meta, t.step); err != nil {
		var behind *router.BehindError
		if !errors.As(err, &behind) {
			pins.discard()
			return err
		}
		return errors.Join(err, pins.commit())
	}
	return pins.commit()
}

// carryOut changes the router, pins the labels and tells the enforcer.
func (t *tool) carryOut(p *planned, meta router.Meta) error {
	totals := view.Count(p.changes)
	if err := t.applyPinned(p, meta); err != nil {
		return err
	}
	// Before netpold is asked: what it answers does not stop the deadline.
	if err := t.announce(t.router()); err != nil {
		return err
	}
	if err := t.tellEnforcer(p.set.bundle.Digest(), len(p.changes) > 0); err != nil {
		return err
	}
	if err := p.live.ClearRetired(p.set.bundle, p.retired, t.step); err != nil {
		return err
	}
	switch {
	case t.json:
		return view.AppliedJSON(t.Out, totals, p.set.bundle.Digest())
	case len(p.changes) > 0:
		return view.Applied(t.Out, totals, t.style(t.Out))
	}
	return nil
}
