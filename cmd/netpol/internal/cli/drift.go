package cli

import (
	"errors"

	"github.com/netpol/netpol/cmd/netpol/internal/router"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/reconcile"
)

var errRefreshArgs = errors.New("--refresh-only compares the router with what was applied: give it no policies and no --out")

// drift is what somebody else changed since the last apply.
func (t *tool) drift(live *router.Live) []reconcile.Change {
	if live.Bundle == nil {
		return nil
	}
	// The other way round than a plan: from what was applied to what there is.
	r := t.router()
	return reconcile.Diff(r.Want(live.Bundle), live.State)
}

// culprits are the changes by others that netpold has seen; none if it does not
// run.
func (t *tool) culprits() []control.Change {
	client, err := t.dial()
	if err != nil {
		return nil
	}
	defer client.Close()
	changes, err := client.Changes()
	if err != nil {
		return nil // an older netpold: the drift is told without a name
	}
	return changes
}

// showDrift prints what plan and apply found changed by others, if anything.
func (t *tool) showDrift(live *router.Live) error {
	if live.Interrupted() {
		if err := t.progress("An apply was interrupted, or is at work; the next one finishes it or takes it back before anything else"); err != nil {
			return err
		}
	}
	changes := t.drift(live)
	if len(changes) == 0 {
		return nil
	}
	if t.json {
		return view.DriftJSON(t.Out, changes, t.culprits())
	}
	return view.Drift(t.Out, changes, t.culprits(), t.style(t.Out))
}

// refreshOnly compares the router with what was applied.
func (t *tool) refreshOnly(a planArgs, args []string) error {
	if len(args) > 0 || t.flags.policy != "" || a.out != "" {
		return errRefreshArgs
	}
	live, err := t.router().Read()
	if err != nil {
		return err
	}
	if live.Damaged() != nil {
		return live.Damaged()
	}
	if err := t.showDrift(live); err != nil {
		return err
	}
	behind, err := t.showStanding(live)
	if err != nil {
		return err
	}
	changes := t.router().Diff(live, live.Bundle)
	switch {
	case t.json:
		err = view.PlanJSON(t.Out, changes, "")
	case len(changes) == 0:
		err = view.NoDrift(t.Out)
	default:
		err = t.progress("To put back what was applied: netpol restore")
	}
	if err == nil && a.detailedExitCode && (behind || len(changes) > 0) {
		return exitChanges
	}
	return err
}
