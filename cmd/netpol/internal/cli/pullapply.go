package cli

import (
	"context"
	"fmt"

	"github.com/netpol/netpol/cmd/netpol/internal/router"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler/artifact"
)

// incoming is what a source gave, verified.
type incoming struct {
	name   string           // for people: release 7
	bundle *artifact.Bundle // nil if it is not new
	digest string           // of its bundle
	meta   router.Meta
	pulled router.Pulled
	file   []byte // the release; nil for unsigned policies
	// fresh says that it was never in force here. isNew finds out again, under the
	// lock: another pull may have been quicker.
	fresh bool
	isNew func() (bool, error)
	// stale says that what was kept of the source is not what it says now.
	stale bool
}

// planIncoming holds what came against the router.
func (t *tool) planIncoming(in *incoming) (*planned, error) {
	r := t.router()
	live, err := r.Read()
	if err != nil {
		return nil, err
	}
	if err := live.Renumbers(in.bundle); err != nil {
		return nil, fmt.Errorf("%s: %w; nothing was changed", in.name, err)
	}
	return &planned{set: &policySet{bundle: in.bundle}, live: live, changes: r.Diff(live, in.bundle)}, nil
}

// showIncoming is pull --dry-run.
func (t *tool) showIncoming(in *incoming, a pullArgs) error {
	if !in.fresh && !a.again {
		return t.upToDate(in)
	}
	p, err := t.planIncoming(in)
	if err != nil {
		return err
	}
	if err := t.progress("Not applied: %s", in.name); err != nil {
		return err
	}
	if err := t.showDrift(p.live); err != nil {
		return err
	}
	if err := t.showPlan(p); err != nil {
		return err
	}
	if a.detailedExitCode && len(p.changes) > 0 {
		return exitChanges
	}
	return nil
}

// takeIn makes the router do what came.
func (t *tool) takeIn(ctx context.Context, in *incoming, a pullArgs) error {
	if !in.fresh && !a.again {
		t.remember(ctx, in)
		return t.upToDate(in)
	}
	unlock, err := t.lockSettled(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	fresh, err := in.isNew()
	if err != nil {
		return err
	}
	if !fresh && !a.again {
		return t.upToDate(in)
	}
	p, err := t.planIncoming(in)
	if err != nil {
		return err
	}
	if err := t.progress("Taking %s", in.name); err != nil {
		return err
	}
	if err := t.showDrift(p.live); err != nil {
		return err
	}
	if err := t.showPlan(p); err != nil {
		return err
	}
	in.meta.Confirm, in.meta.Guard = a.waits, t.guard
	if err := t.carryOut(p, in.meta); err != nil {
		return err
	}
	return t.router().KeepPulled(in.pulled, in.file)
}

// remember keeps the source's tag, so that the next pull need not fetch what this
// one did. It is no matter if somebody else has the lock.
func (t *tool) remember(ctx context.Context, in *incoming) {
	if !in.stale {
		return
	}
	unlock, err := t.lock(ctx)
	if err != nil {
		return
	}
	defer unlock()
	if fresh, err := in.isNew(); err == nil && !fresh {
		_ = t.router().KeepPulled(in.pulled, in.file)
	}
}

// upToDate says nothing to a timer, unless the router was taken off what the
// source says.
func (t *tool) upToDate(in *incoming) error {
	runs := t.router().AppliedDigest()
	if runs != in.digest {
		return t.progress("The source has nothing newer than %s, which was in force; the router runs bundle %s now (netpol history). netpol pull --again goes back to it",
			in.name, view.ShortDigest(runs))
	}
	switch {
	case t.json:
		return view.UpToDateJSON(t.Out, in.meta.Release, in.digest)
	case isTerminal(t.Out):
		return view.UpToDate(t.Out, in.name)
	}
	return nil
}
