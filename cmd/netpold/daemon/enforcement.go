package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/netpol/netpol/cmd/internal/buildinfo"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/dissect/all"
	"github.com/netpol/netpol/enforcer/kernel/capture"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/flowset"
	"github.com/netpol/netpol/enforcer/kernel/nftset"
	"github.com/netpol/netpol/enforcer/telemetry/sink"
)

// errCapture says that the kernel does not let netpold see packets or write
// verdicts, which no waiting cures.
var errCapture = errors.New("open capture and conntrack")

// enforcement is a bundle at work: an engine between NFLOG and conntrack, which
// has a worker for each lane.
type enforcement struct {
	log    *slog.Logger
	engine *enforcer.Engine
	lanes  *lanes
	ends   *ct.Ends
	lists  *ct.Client // a list keeps other questions of its client waiting
	upkeep *upkeep
	// elements fills the sets that policies add flows to.
	elements *flowset.Writer
	inputs   *inputs // interfaces that are read besides
	sinks    *sink.Set
	reporter *reporter
	cancel   context.CancelFunc
	ctx      context.Context
	done     chan struct{} // closed when run returns
	once     sync.Once

	flowSets atomic.Pointer[[]artifact.FlowSet] // of the bundle in force

	// What is in force; guarded by the daemon's mu.
	digest           string
	policies, labels int
}

// newEnforcement opens the capture and conntrack for a bundle. The caller must
// run it and close it.
func newEnforcement(cfg config, b *artifact.Bundle, log *slog.Logger, by *nftset.Owner) (*enforcement, error) {
	e := &enforcement{log: log, done: make(chan struct{}), upkeep: newUpkeep(log, by), elements: &flowset.Writer{}}
	e.sinks = sink.New(sink.Config{Log: log, Stdout: os.Stdout, Key: pseudonymKey(), Version: buildinfo.Version(), Started: time.Now()})
	e.inputs = newInputs(cfg, b, e.sinks, log)
	e.reporter = newReporter(e)
	e.enforces(b)
	if err := e.open(cfg, b); err != nil {
		e.release()
		return nil, fmt.Errorf("%w: %w", errCapture, err)
	}
	c := enforcer.Config{
		Tracker: e.lists, Ends: e.ends, Heartbeat: e.upkeep, Elements: e.elements, Outlets: e.sinks,
		Dissectors: all.Dissectors(), Fuse: cfg.fuse(), Bundle: b, MaxFlows: cfg.maxFlows, Interval: cfg.interval, Live: true, Metrics: cfg.measures(), MetricsHealth: cfg.metricsHealth, Logger: log,
	}
	e.lanes.configure(&c, e.sinks)
	var err error
	if e.engine, err = enforcer.New(c); err != nil {
		e.release()
		return nil, err
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e, nil
}

func (e *enforcement) open(cfg config, b *artifact.Bundle) (err error) {
	if cfg.realtime {
		e.hurry(cfg, b)
	}
	if e.lanes, err = openLanes(cfg, b); err != nil {
		return err
	}
	if e.ends, err = ct.OpenEnds(); err != nil {
		return err
	}
	e.lists, err = ct.Open()
	return err
}

// hurry readies the process for workers that run before others. Each of them keeps one
// of Go's processors while it waits, so that it need not wait for one: those that share
// the others have as many as the machine.
func (e *enforcement) hurry(cfg config, b *artifact.Bundle) {
	enforcer.CollectSeldom()
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.NumCPU() + laneCount(cfg.workers, b))
	}
	if err := capture.Realtime(); err != nil {
		e.log.Warn("packets are read when other processes have had their turn", "err", err)
	}
}

// run works until close, or until the engine fails.
func (e *enforcement) run() error {
	defer close(e.done)
	go e.upkeep.run(e.ctx)
	e.inputs.begin()
	go e.reporter.run(e.ctx)
	if err := e.engine.Run(e.ctx); err != nil && e.ctx.Err() == nil {
		return fmt.Errorf("run enforcer: %w", err)
	}
	return nil
}

// reload goes over to another bundle that fits the lanes, without losing flows.
func (e *enforcement) reload(b *artifact.Bundle) error {
	if err := e.lanes.use(b); err != nil {
		return err
	}
	if err := e.engine.Reload(b); err != nil {
		return err
	}
	e.enforces(b)
	e.inputs.use(b)
	return nil
}

// enforces notes what is in force.
func (e *enforcement) enforces(b *artifact.Bundle) {
	e.digest, e.policies, e.labels = b.Digest(), len(b.Policies), len(b.Labels)
	e.upkeep.use(b)
	e.flowSets.Store(&b.FlowSets)
	e.reporter.use(b, e.digest)
}

// sets are what the bundle's policies add flows to; the caller must not change
// them.
func (e *enforcement) sets() []artifact.FlowSet { return *e.flowSets.Load() }

// close ends run, waits for it, writes what is decided and releases the kernel.
func (e *enforcement) close() {
	e.once.Do(func() {
		e.cancel()
		<-e.done
		e.release()
	})
}

// release closes what is open.
func (e *enforcement) release() {
	e.inputs.close()
	e.sinks.Close()
	var errs []error
	if e.ends != nil {
		errs = append(errs, e.ends.Close())
	}
	if e.lists != nil {
		errs = append(errs, e.lists.Close())
	}
	if e.lanes != nil {
		errs = append(errs, e.lanes.close())
	}
	if err := errors.Join(errs...); err != nil {
		e.log.Warn("release kernel", "error", err)
	}
}
