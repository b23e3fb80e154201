package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/router"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/reconcile"
)

type rollbackArgs struct {
	confirmArgs
	revision    int // 0: the one before
	autoApprove bool
	expired     bool
	wait        bool
}

var errNothingBefore = errors.New("there is no revision to go back to (netpol history lists them)")

func newRollbackCommand(t *tool) *cobra.Command {
	var a rollbackArgs
	cmd := &cobra.Command{
		Use:   "rollback [REVISION]",
		Short: "Go back to what this router ran before",
		Long: `Put an earlier revision in force: the one before the current one, or the one with
this number (netpol history lists them). What waits to be confirmed is taken back.
Without a number, what was left by a rollback or was never confirmed is passed over:
going back twice goes back further.
The policy files stay as they are, so the next apply brings back what they say.

With --expired it only does what is overdue: it takes back a change that nobody
confirmed in time, and does nothing otherwise. netpold, systemd and the process
that apply --confirm leaves behind call it so.

Exit codes: 0 rolled back, or nothing to do; 1 error, or not approved.`,
		Example: `  sudo netpol rollback
  sudo netpol rollback 12 --auto-approve`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return t.completeRevisions(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				n, err := strconv.Atoi(args[0])
				if err != nil || n < 1 {
					return fmt.Errorf("revision %q: give the number that netpol history shows", args[0])
				}
				a.revision = n
			}
			return t.runRollback(cmd, a)
		},
	}
	cmd.Flags().BoolVar(&a.autoApprove, "auto-approve", false, "do not ask")
	cmd.Flags().BoolVar(&a.expired, "expired", false, "only take back a change that was not confirmed in time")
	cmd.Flags().BoolVar(&a.wait, "wait", false, "with --expired: wait until the change is confirmed or its time is over")
	a.addFlags(cmd)
	t.addRouterFlags(cmd)
	t.addLockFlag(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

func (t *tool) runRollback(cmd *cobra.Command, a rollbackArgs) error {
	switch {
	case a.expired && a.revision > 0:
		return errors.New("--expired goes back to what was before: give no revision")
	case a.wait && !a.expired:
		return errors.New("--wait is for --expired")
	case a.expired && a.wait:
		return t.watchPending(cmd.Context())
	case a.expired:
		return t.rollBackExpired(cmd.Context(), nil)
	}
	wait, err := a.duration(cmd)
	if err != nil {
		return err
	}
	return t.rollBack(cmd.Context(), a, wait)
}

// rollBack goes back as a person asks for it.
func (t *tool) rollBack(ctx context.Context, a rollbackArgs, wait time.Duration) error {
	if _, err := os.Stat(t.router().StateDir); errors.Is(err, fs.ErrNotExist) {
		return errNothingBefore
	}
	unlock, err := t.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	r := t.router()
	live, err := r.Read()
	if err != nil {
		return err
	}
	target, pending, err := t.rollbackTarget(r, live, a.revision)
	if err != nil {
		return err
	}
	b, err := revisionBundle(r, target)
	if err != nil {
		return err
	}
	changes := r.Diff(live, b)
	if err := t.showRollback(changes, target, b); err != nil {
		return err
	}
	if len(changes) > 0 && !a.autoApprove {
		if err := t.ask(ctx, "Do this on the router?"); err != nil {
			return err
		}
	}
	meta := router.Meta{Operation: router.OpRollback, Of: target, Message: fmt.Sprintf("back to revision %d", target)}
	if pending {
		meta.Message = "taken back before it was confirmed"
	} else {
		meta.Confirm, meta.Guard = wait, t.guard
	}
	return t.goBack(r, live, b, changes, meta, pending)
}

// rollbackTarget is the revision to go back to; 0 is nothing of netpol. pending
// says that a change that waits to be confirmed ends with it.
func (t *tool) rollbackTarget(r router.Router, live *router.Live, asked int) (target int, pending bool, err error) {
	p, damaged, err := r.Waiting()
	if damaged != nil {
		_ = t.progress("%v", damaged)
	}
	switch {
	case err == nil && asked == 0:
		return p.Before, true, nil
	case err == nil:
		return asked, true, nil
	case !errors.Is(err, fs.ErrNotExist):
		return 0, false, fmt.Errorf("%w; netpol confirm removes it", err)
	case asked > 0:
		return asked, false, nil
	}
	history, err := r.History()
	now, known := r.Current(live)
	if !known && len(history) > 0 {
		return history[0].Serial, false, nil
	}
	if before := revisionBefore(history, now); before > 0 {
		return before, false, nil
	}
	return 0, false, errors.Join(errNothingBefore, err)
}

// revisionBefore is the newest revision before now that is another; 0 when there
// is none. What a rollback or a timeout has left is passed over: going back twice
// goes back further, and never into a change that nobody confirmed.
func revisionBefore(history []router.Revision, now router.Revision) int {
	at := now.Serial
	for _, rev := range history {
		if rev.Serial > at {
			continue
		}
		if rev.Digest != now.Digest {
			return rev.Serial
		}
		at = rev.Serial - 1
		if rev.Of > 0 {
			at = rev.Of
		}
	}
	return 0
}

// revisionBundle is nil for revision 0, before which nothing was applied.
func revisionBundle(r router.Router, serial int) (*artifact.Bundle, error) {
	if serial == 0 {
		return nil, nil
	}
	return r.Bundle(serial)
}

func (t *tool) showRollback(changes []reconcile.Change, target int, b *artifact.Bundle) error {
	digest := ""
	if b != nil {
		digest = b.Digest()
	}
	if t.json {
		return view.PlanJSON(t.Out, changes, digest)
	}
	return view.RollbackPlan(t.Out, changes, target, t.style(t.Out))
}

// goBack makes the router what it was. A deadline that this ends goes last, so
// that whoever is stopped here is made up for by whoever keeps the deadline.
func (t *tool) goBack(r router.Router, live *router.Live, b *artifact.Bundle, changes []reconcile.Change, meta router.Meta, pending bool) error {
	digest := ""
	if b == nil {
		if err := r.RemoveBundle(); err != nil {
			return err
		}
		if err := t.tellEnforcer("", true); err != nil {
			_ = t.progress("%v", err) // the rules come first
		}
		if err := r.Destroy(live, t.step); err != nil {
			return err
		}
	} else {
		digest = b.Digest()
		if len(changes) > 0 {
			if err := r.ApplyAs(b, live, meta, t.step); err != nil {
				return err
			}
		}
		if pending {
			if err := r.Confirm(); err != nil {
				return err
			}
		}
		if err := t.tellEnforcer(digest, len(changes) > 0); err != nil {
			return err
		}
		if err := live.ClearRetired(b, [16]byte{}, t.step); err != nil {
			return err
		}
	}
	if meta.Confirm > 0 {
		if err := t.announce(r); err != nil {
			return err
		}
	}
	if t.json {
		return view.RolledBackJSON(t.Out, view.Count(changes), meta.Of, digest)
	}
	return view.RolledBack(t.Out, view.Count(changes), meta.Of, t.style(t.Out))
}

// expiredTries is how long the keeper of a deadline waits between tries that
// failed, and expiredLock how long for a netpol that is at work.
const (
	expiredRetry = 2 * time.Second
	expiredLock  = 30 * time.Second
	expiredPoll  = 500 * time.Millisecond
)

// watchPending waits until no change waits any more, and takes back the one whose
// time is over. It does not give up: nobody may be left to do it. What it has read
// once it remembers, should the file be damaged.
func (t *tool) watchPending(ctx context.Context) error {
	var known *control.Pending
	for {
		p, err := t.pending(known)
		pause := expiredRetry
		switch {
		case err != nil:
		case p == nil:
			return nil
		case p.Left() > 0:
			known, pause = p, min(p.Left(), expiredPoll)
		default:
			if err := t.rollBackExpired(ctx, p); err == nil {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// pending is the change that waits to be confirmed: nil if there is none, and what
// is known of it already if it cannot be read.
func (t *tool) pending(known *control.Pending) (*control.Pending, error) {
	p, err := control.ReadPending(t.router().PendingPath())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil && known != nil:
		return known, nil
	case err != nil:
		return nil, err
	}
	return &p, nil
}

// rollBackExpired takes back a change whose time is over, and does nothing if
// there is none.
func (t *tool) rollBackExpired(ctx context.Context, known *control.Pending) error {
	p, err := t.pending(known)
	if err != nil || p == nil || p.Left() > 0 {
		return err
	}
	t.flags.lockTimeout = max(t.flags.lockTimeout, expiredLock)
	unlock, err := t.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	// Somebody may have confirmed it, or taken it back, while we waited.
	if p, err = t.pending(known); err != nil || p == nil || p.Left() > 0 {
		return err
	}
	return t.takeBack(t.router(), *p)
}

// takeBack ends a change that nobody confirmed; the caller holds the lock.
func (t *tool) takeBack(r router.Router, p control.Pending) error {
	live, err := r.Read()
	if err != nil {
		return err
	}
	b, err := revisionBundle(r, p.Before)
	if err != nil {
		return err
	}
	meta := router.Meta{Operation: router.OpTimeout, Of: p.Before, Message: fmt.Sprintf("nobody confirmed revision %d", p.Serial)}
	return t.goBack(r, live, b, r.Diff(live, b), meta, true)
}

// completeRevisions lists the history for shells.
func (t *tool) completeRevisions() []string {
	history, _ := t.router().History() // a shell wants no errors
	var out []string
	for _, rev := range history {
		out = append(out, fmt.Sprintf("%d\t%s %s", rev.Serial, rev.Time.Local().Format(time.DateTime), rev.Message))
	}
	return out
}
