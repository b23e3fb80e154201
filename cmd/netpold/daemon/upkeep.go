package daemon

import (
	"context"
	"log/slog"
	"sync"
	"time"
	_ "time/tzdata" // many routers have no database of time zones of their own

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/nftset"
	"github.com/netpol/netpol/enforcer/pulse"
)

const (
	// topUpEvery is how often the windows of schedules are made anew. They reach
	// artifact.Horizon ahead, so a day late is no harm.
	topUpEvery = 24 * time.Hour
	// clockJump is by how much the wall clock must leave the steady one to count
	// as set: slewing does not (adjtime(3) moves 30 ms a minute).
	clockJump = 10 * time.Second
)

// upkeep renews those sets of the kernel's table that live on: the heartbeat
// and the windows of schedules. The zero bundle has none.
type upkeep struct {
	log     *slog.Logger
	replace func(family, table string, sets []artifact.Set) error
	renew   func(family, table string, sets []artifact.Set) error
	changed chan struct{} // the bundle is another one

	mu            sync.Mutex // guards what follows
	family, table string
	alive, timed  []artifact.Set
}

func newUpkeep(log *slog.Logger, by *nftset.Owner) *upkeep {
	return &upkeep{log: log, replace: by.Replace, renew: by.Renew, changed: make(chan struct{}, 1)}
}

// use goes over to a bundle's sets.
func (u *upkeep) use(b *artifact.Bundle) {
	u.mu.Lock()
	u.family, u.table = b.Ruleset.Family, b.Ruleset.Table
	u.alive, u.timed = nil, nil
	for _, s := range b.Ruleset.Sets {
		switch {
		case s.Heartbeat > 0:
			s.Elements = artifact.HeartbeatElements()
			u.alive = append(u.alive, s)
		case s.Type == artifact.SetTime:
			u.timed = append(u.timed, s)
		}
	}
	u.mu.Unlock()
	select {
	case u.changed <- struct{}{}:
	default:
	}
}

// Beat tells the kernel that netpold answers, if a policy waits for it.
func (u *upkeep) Beat() error {
	u.mu.Lock()
	family, table, alive := u.family, u.table, u.alive
	u.mu.Unlock()
	if len(alive) == 0 {
		return nil
	}
	return u.renew(family, table, alive)
}

// topUp writes the windows of all schedules as they are from now on.
func (u *upkeep) topUp(now time.Time) error {
	u.mu.Lock()
	family, table, timed := u.family, u.table, u.timed
	u.mu.Unlock()
	sets := make([]artifact.Set, 0, len(timed))
	for _, s := range timed {
		filled, err := s.At(now)
		if err != nil {
			return err
		}
		sets = append(sets, filled)
	}
	if len(sets) == 0 {
		return nil
	}
	return u.replace(family, table, sets)
}

// scheduled says that there are windows to keep.
func (u *upkeep) scheduled() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.timed) > 0
}

// run keeps the windows topped up until ctx ends. Each second it looks whether that is
// due, or whether the clock was set, which policies follow so soon.
func (u *upkeep) run(ctx context.Context) {
	due := clockWatch{}
	lastFault := ""
	var failed time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-u.changed:
			due, failed = clockWatch{}, time.Time{}
		case <-pulse.NextIf(u.scheduled()):
		}
		now := time.Now()
		if !due.due(now) || now.Sub(failed) < retry {
			continue
		}
		err := u.topUp(now)
		if err == nil {
			due.done(now)
			lastFault = ""
			continue
		}
		failed = now
		if err.Error() != lastFault {
			lastFault = err.Error()
			u.log.Warn("renew windows of schedules", "error", err)
		}
	}
}

// clockWatch knows when windows were made last, by both of the host's clocks.
type clockWatch struct {
	last time.Time // with its monotonic reading; zero for never
	wall time.Time // the same without
}

func (w *clockWatch) done(now time.Time) { w.last, w.wall = now, now.Round(0) }

// due says that it is time again, or that the clock was set since.
func (w *clockWatch) due(now time.Time) bool {
	if w.last.IsZero() {
		return true
	}
	return w.dueAfter(now.Sub(w.last), now.Round(0).Sub(w.wall))
}

// dueAfter is due by what the steady and the wall clock say has passed.
func (w *clockWatch) dueAfter(steady, wall time.Duration) bool {
	return steady >= topUpEvery || (wall-steady).Abs() >= clockJump
}
