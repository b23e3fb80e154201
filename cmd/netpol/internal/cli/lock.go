package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/enforcer/control"
)

func (t *tool) addLockFlag(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&t.flags.lockTimeout, "lock-timeout", 0, "how long to wait for another netpol that changes this router, such as `30s`")
}

// lock keeps other netpol processes from the router, and finishes or takes back
// what one of them left midway.
func (t *tool) lock(ctx context.Context) (unlock func(), err error) {
	if t.flags.lockTimeout < 0 {
		return nil, fmt.Errorf("--lock-timeout %s: a time to wait cannot be negative", t.flags.lockTimeout)
	}
	r := t.router()
	unlock, err = r.LockWithin(ctx, t.flags.lockTimeout)
	if err != nil {
		return nil, err
	}
	if err := r.Recover(t.step); err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// lockSettled is lock for changes that must not hide one that waits to be
// confirmed.
func (t *tool) lockSettled(ctx context.Context) (unlock func(), err error) {
	unlock, err = t.lock(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.settled(); err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// settled is an error while a change waits to be confirmed.
func (t *tool) settled() error {
	p, err := control.ReadPending(t.router().PendingPath())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%w; netpol confirm keeps the change that it is about, netpol rollback takes it back", err)
	}
	return fmt.Errorf("revision %d waits to be confirmed until %s: netpol confirm keeps it, netpol rollback takes it back",
		p.Serial, p.Deadline.Local().Format(time.TimeOnly))
}
