package enforcer

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// maxLanes bounds the workers of an engine: more sockets than that cost more
// than they spread.
const maxLanes = 64

// Lane is what a further worker reads from and writes to. Each of its parts is
// this worker's own, so that workers do not wait for each other.
type Lane struct {
	Source   Source
	Labels   LabelSink // as in Config
	Resolver Resolver  // as in Config
	Outlets  Outlets   // as in Config
}

// crew are the workers of a run, each of which owns the flows of its lane, and
// those who wait for the kernel in the place of all.
type crew struct {
	workers   []*worker
	lister    *lister   // nil where conntrack cannot be asked
	heart     *heart    // nil when nobody waits for it
	keeper    *keeper   // nil when flows are not put into sets
	farewells farewells // nil when nobody announces ends

	policies []atomic.Pointer[policy] // by lane, what its worker goes by
	placed   []atomic.Int64           // by lane, flows that have elements in sets
	healAt   atomic.Int64             // engine's time from which on conntrack is to be listed, because updates of some lane may be lost, or the last list was not whole; 0 for neither
}

// newCrew begins to wait for the kernel until ctx ends.
func newCrew(ctx context.Context, e *Engine) *crew {
	lanes := 1 + len(e.config.Lanes)
	c := &crew{policies: make([]atomic.Pointer[policy], lanes), placed: make([]atomic.Int64, lanes)}
	if e.config.Live && e.config.Tracker != nil {
		c.lister = newLister(ctx, e.config.Tracker, lanes, e.config.LaneOf, e.wake)
	}
	if e.config.Live && e.config.Ends != nil {
		c.farewells = newFarewells(ctx, e, lanes)
	}
	if e.config.Live && e.config.Heartbeat != nil {
		c.heart = newHeart(ctx, e.config.Heartbeat, lanes, e.config.Logger)
	}
	if e.config.Live && e.config.Elements != nil {
		c.keeper = newKeeper(ctx, e.config.Elements, e.config.Logger)
		c.keeper.use(e.policy.Load().bundle)
		e.keeper.Store(c.keeper)
	}
	flows, ownFlows := newBudget(e.config.MaxFlows, lanes)
	memory, ownMemory := newBudget(e.config.MaxBuffers, lanes)
	for lane := range lanes {
		w := newWorker(e, lane)
		if lanes > 1 {
			w.flows, w.memory = lease{of: flows, own: ownFlows, has: ownFlows}, lease{of: memory, own: ownMemory, has: ownMemory}
			w.fit()
		}
		w.join(c)
		c.workers = append(c.workers, w)
	}
	return c
}

// join makes the worker one of a crew.
func (w *worker) join(c *crew) {
	w.crew, w.lister, w.heart, w.keeper = c, c.lister, c.heart, c.keeper
	c.policies[w.lane].Store(w.policy)
}

// run has all work until their sources end or ctx does; one that fails ends the
// work of all by stop.
func (c *crew) run(ctx context.Context, stop context.CancelFunc) error {
	errs := make([]error, len(c.workers))
	work := func(i int) {
		if errs[i] = c.workers[i].run(ctx); errs[i] != nil {
			stop()
		}
	}
	var others sync.WaitGroup
	for i := range c.workers[1:] {
		others.Go(func() { work(1 + i) })
	}
	work(0)
	others.Wait()
	return errors.Join(errs...)
}

// agree says that all workers go by a policy set.
func (c *crew) agree(p *policy) bool {
	for i := range c.policies {
		if c.policies[i].Load() != p {
			return false
		}
	}
	return true
}

// places says that flows have elements in sets.
func (c *crew) places() bool {
	for i := range c.placed {
		if c.placed[i].Load() > 0 {
			return true
		}
	}
	return false
}

// laneConfig is the configuration of one lane's worker: what is bounded for all
// is shared out evenly. It may take what others leave, of MaxOpening (crammed) and of
// the others (budget).
func laneConfig(c *Config, lane int) *Config {
	own := *c
	if lane > 0 {
		l := &c.Lanes[lane-1]
		own.Source, own.Labels, own.Resolver, own.Outlets = l.Source, l.Labels, l.Resolver, l.Outlets
	}
	lanes := 1 + len(c.Lanes)
	for _, bound := range []*int{&own.MaxFlows, &own.MaxOpening, &own.MaxBuffers} {
		*bound = max(1, *bound/lanes)
	}
	return &own
}
