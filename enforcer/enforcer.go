package enforcer

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/classify"
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// Source gives packets. Next fills raw, whose Data is valid until the next
// call, or returns packet.ErrIdle when none came for a second at most,
// packet.ErrFileEnd or a *packet.FileError after a capture file, and io.EOF at
// the end of all. Any other error ends Run.
//
// A Source may have Wake(), which makes a waiting Next, or the next one, return
// packet.ErrIdle at once; any goroutine calls it.
//
// A Source may also have Pending() bool: whether Next would return a packet
// without waiting. The engine then sends its labels before it waits.
type Source interface {
	Next(raw *packet.Raw) error
}

// Holder is a Source of packets that wait: one with a ticket goes on only when it
// is released. What has been written on its connection by then holds for it. On a
// connection that conntrack does not let others write on yet (Ticket.New), the
// Source writes.
type Holder interface {
	Release([]flow.Release) error
}

// LabelSink writes labels and marks on connections. Write may buffer; Flush
// sends. What goes wrong with a single connection is the sink's to count.
type LabelSink interface {
	Write(flow.Update) error
	Flush() error
}

// Resolver finds the tuple in which a connection was opened, given that of its
// replies: they differ where addresses are translated.
type Resolver interface {
	Original(reply flow.Tuple) (original flow.Tuple, ok bool)
}

// Heartbeat tells the kernel that the engine works. Beat is called by one
// goroutine, while the engine makes progress.
type Heartbeat interface {
	Beat() error
}

// Recorder is told of flows that are over. The row is valid during the call.
type Recorder interface {
	Record(*telemetry.Flow)
}

// Outlets are the operator's sinks, which take records of what happens. The
// methods are called by the engine alone, and never wait.
type Outlets interface {
	// Use goes over to a bundle's sinks.
	Use([]artifact.Sink)
	// Offer hands a record to a sink, by its place in the list last used, and says whether
	// it took it. The record is valid during the call.
	Offer(sink int, r record.Record) (taken bool)
	// Losses is a number of a sink that changes when its reader may not have records
	// any more that it took.
	Losses(sink int) uint64
}

// Engine is the packet path from Source to LabelSink.
type Engine struct {
	config    Config
	scheduler *dissect.Scheduler
	policy    atomic.Pointer[policy]
	seed      uint64

	keeper atomic.Pointer[keeper] // of the run; nil when flows are not put into sets
	names  *classify.Names        // of live flows, whichever worker's

	meter   *meter       // nil unless Config.Metrics
	opening atomic.Int64 // flows in inspection, of all workers
	watched atomic.Int64 // until when somebody looks at counters of flows, by the engine's clock
	// watchedFrom is since when.
	watchedFrom atomic.Int64

	running atomic.Bool
	asks    []chan func(*worker) // by lane, answered by its worker between packets
	stopped chan struct{}        // closed when Run returns

	mu    sync.Mutex
	stats []Stats // by lane, guarded by mu; each worker publishes its own copy here
}

// New makes an engine. It fails on a Config that cannot work and on a bundle
// that cannot be loaded.
func New(config Config) (*Engine, error) {
	if err := config.validate(); err != nil {
		return nil, fmt.Errorf("configure enforcer: %w", err)
	}
	config.fill()
	scheduler, err := dissect.NewScheduler(config.Dissectors, config.Fuse)
	if err != nil {
		return nil, fmt.Errorf("configure enforcer: %w", err)
	}
	p, err := loadPolicy(config.Bundle)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		config: config, scheduler: scheduler,
		seed:    maphash.Bytes(maphash.MakeSeed(), nil),
		stopped: make(chan struct{}),
		stats:   make([]Stats, 1+len(config.Lanes)),
	}
	for range e.stats {
		e.asks = append(e.asks, make(chan func(*worker)))
	}
	if config.Live {
		e.names = classify.NewNames(config.MaxNames, len(e.stats))
	}
	if config.Metrics {
		e.meter = newMeter()
	}
	e.use(p)
	return e, nil
}

// Run reads packets until the sources end or ctx does, then sends what is
// left and returns. A source that fails ends all. Files that could not be read to
// their end do not stop it; their errors are joined in the result. Run may be
// called once.
func (e *Engine) Run(ctx context.Context) error {
	if !e.running.CompareAndSwap(false, true) {
		return errors.New("run enforcer: it ran before")
	}
	defer close(e.stopped)
	work, cancel := context.WithCancel(ctx)
	defer cancel()
	c := newCrew(work, e)
	err := c.run(work, cancel)
	if c.keeper != nil {
		cancel()
		<-c.keeper.done
	}
	for _, w := range c.workers {
		w.publish()
	}
	return err
}

// Reload makes the engine go on with another bundle from the next packet on.
// Flows keep what is known of them; their verdicts are decided anew, some at a
// time, and rewritten where they changed; dissectors that blew the fuse are asked
// again. Safe for concurrent use. On an error the old bundle stays.
func (e *Engine) Reload(bundle *artifact.Bundle) error {
	p, err := loadPolicy(bundle)
	if err != nil {
		return err
	}
	e.use(p)
	e.scheduler.Restore()
	for lane := range e.asks {
		e.wake(lane)
	}
	return nil
}

// use has the workers go over to a policy set.
func (e *Engine) use(p *policy) {
	if !e.config.Sampled && (e.config.Outlets != nil || e.meter != nil) {
		p.ledger = newLedger(p.bundle, e.metered(p), e.seed, len(e.stats))
		p.counts = p.counts || p.ledger != nil
	}
	e.policy.Store(p)
	e.hearEnds(p)
}

// metered is what the meter has added up, nil without one: how applications fare where that is
// measured anyway, or somebody asks.
func (e *Engine) metered(p *policy) *artifact.Aggregate {
	if e.meter == nil {
		return nil
	}
	a := appAggregate(e.config.MetricsHealth || e.config.Outlets != nil && p.audience.asked&measured != 0 || p.audience.kpis ||
		slices.ContainsFunc(p.bundle.Aggregates, func(a artifact.Aggregate) bool { return a.Health }))
	e.meter.mu.Lock()
	e.meter.health = e.meter.health || a.Health
	e.meter.mu.Unlock()
	return &a
}

// Stats is how much was done so far, by all workers. Safe for concurrent use.
func (e *Engine) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.stats[0]
	for i := range e.stats[1:] {
		s.add(&e.stats[1+i])
	}
	for _, f := range e.scheduler.Faults() {
		s.Panics += f.Panics
		if f.Off {
			s.DissectorsOff++
		}
	}
	return s
}

// Faults are the dissectors that have failed. Safe for concurrent use.
func (e *Engine) Faults() []dissect.Fault { return e.scheduler.Faults() }

// Flows is a snapshot of at most limit flows, those in inspection first. It is
// empty while the engine does not run. Safe for concurrent use.
func (e *Engine) Flows(limit int) (flows []telemetry.Flow) {
	for lane := range e.asks {
		e.ask(lane, func(w *worker) { flows = append(flows, w.snapshot(limit-len(flows))...) })
	}
	return flows
}

// Why is the account of the flow with the given tuple, in either direction; ok
// is false when it is not known. Safe for concurrent use.
func (e *Engine) Why(t flow.Tuple) (why telemetry.Why, ok bool) {
	for lane := range e.asks {
		e.ask(lane, func(w *worker) {
			var id flow.ID
			if id, ok = w.lookup(t); ok {
				why = w.why(w.table.At(id), telemetry.Live)
			}
		})
		if ok {
			break
		}
	}
	return why, ok
}

// wake has a lane's worker look up from waiting for packets.
func (e *Engine) wake(lane int) {
	source := e.config.Source
	if lane > 0 {
		source = e.config.Lanes[lane-1].Source
	}
	if s, ok := source.(interface{ Wake() }); ok {
		s.Wake()
	}
}

// ask has a lane's worker run fn and waits; it does nothing while none runs.
func (e *Engine) ask(lane int, fn func(*worker)) {
	if !e.running.Load() {
		return
	}
	done := make(chan struct{})
	e.wake(lane)
	select {
	case e.asks[lane] <- func(w *worker) { defer close(done); fn(w) }:
		<-done
	case <-e.stopped:
	}
}
