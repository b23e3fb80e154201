package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/control"
)

// daemon is netpold on a live router: it waits for a bundle, enforces it, and
// takes a new one when it is told to.
type daemon struct {
	cfg     config
	log     *slog.Logger
	started time.Time

	mu       sync.Mutex   // guards the fields below
	running  *enforcement // nil while there is no bundle
	lastFail string       // the last fault of load, so that polling logs it once
	stopping bool         // nothing is loaded any more
	failed   chan error   // an enforcement ended by itself

	health    *health
	examining sync.Mutex      // keeps examinations apart
	faulty    map[string]bool // dissectors that were logged; guarded by examining
	keeper    *keeper
	owner     *ownership
}

func newDaemon(cfg config, log *slog.Logger) *daemon {
	d := &daemon{cfg: cfg, log: log, started: time.Now(), failed: make(chan error, 1), health: newHealth(log), faulty: make(map[string]bool)}
	d.keeper = newKeeper(cfg, log, d.health)
	d.owner = newOwnership(log, d.health)
	d.keeper.own = d.owner.keep
	d.keeper.active = func() bool { return !d.waiting() }
	d.keeper.reload = func() {
		if _, err := d.Reload(); err != nil {
			return // load has said so
		}
	}
	d.keeper.sets = func() []artifact.FlowSet {
		if e := d.current(); e != nil {
			return e.sets()
		}
		return nil
	}
	d.keeper.renew = func(ids []string) {
		if e := d.current(); e != nil {
			e.engine.RenewSets(ids...)
		}
	}
	return d
}

// run returns when ctx ends, after everything decided has been written, or on
// a fault that netpold cannot work around.
func (d *daemon) run(ctx context.Context) error {
	if err := os.MkdirAll(d.cfg.runDir, 0o755); err != nil {
		return fmt.Errorf("make run directory: %w", err)
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)

	// Until the table is let go, the tool must be able to ask for it.
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() { served <- control.Serve(serving, d.cfg.socketPath(), d) }()
	defer func() {
		stopServing()
		<-served
	}()
	defer d.shutdown()
	measuring, stopMeasuring := context.WithCancel(ctx)
	measured, err := d.serveMetrics(measuring)
	if err != nil {
		stopMeasuring()
		return err
	}
	defer measured()
	defer stopMeasuring()

	if err := d.load(); fatal(err) {
		return err
	}
	notifyReady(d.log, d.statusLine())
	keeping, stopKeeping := context.WithCancel(ctx)
	var keepers sync.WaitGroup
	keepers.Go(func() { d.keeper.run(keeping) })
	keepers.Go(func() { d.watchHealth(keeping) })
	keepers.Go(func() { d.watchdog(keeping) })
	defer keepers.Wait()
	defer stopKeeping()
	return d.loop(ctx, hangup, served)
}

func (d *daemon) loop(ctx context.Context, hangup <-chan os.Signal, served chan error) error {
	for {
		select {
		case <-ctx.Done():
			notifyStopping(d.log)
			d.log.Info("stopping")
			return nil
		case err := <-served:
			served <- err // for the caller, who waits for it
			return fmt.Errorf("serve control socket: %w", err)
		case err := <-d.failed:
			return err
		case <-hangup:
			notifyReloading(d.log)
			err := d.load()
			notifyReady(d.log, d.statusLine())
			if fatal(err) {
				return err
			}
		}
	}
}

// fatal reports whether a fault of load is one that waiting cannot cure: the
// kernel refuses the capture. A missing or unreadable bundle is not.
func fatal(err error) bool {
	return errors.Is(err, errCapture)
}

// load takes the bundle file as it is now: starts enforcing, goes over to the
// new bundle, or, when the file is gone, stops. On an error the bundle in force
// stays.
func (d *daemon) load() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopping {
		return errStopping
	}
	d.keeper.loaded()
	defer d.keeper.retarget()
	b, err := readBundle(d.cfg.bundlePath())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.retire()
		return nil
	case err != nil:
	case d.running == nil:
		err = d.start(b)
	case !d.running.lanes.fits(d.cfg.workers, b):
		// Connections go to other workers from now on: what is undecided is left to
		// them, and the rest adopted, as by a netpold that starts anew.
		d.running.close()
		d.running = nil
		err = d.start(b)
	default:
		err = d.running.reload(b)
	}
	if err != nil {
		if err.Error() != d.lastFail {
			d.lastFail = err.Error()
			d.log.Error("load bundle", "error", err)
		}
		left := "no connection is named"
		if d.running != nil {
			left = "the one before stays in force"
		}
		d.health.tell("bundle", control.Reason{
			Code: "bundle", Detail: fmt.Sprintf("the bundle that is there cannot be taken, and %s: %v", left, err),
			WayOut: artifact.WayOut(err),
		})
		return err
	}
	d.lastFail = ""
	d.health.tell("bundle")
	_ = d.owner.use(b) // it has said so, and is tried again
	d.log.Info("bundle loaded", "digest", d.running.digest, "policies", len(b.Policies), "labels", len(b.Labels))
	return nil
}

// start begins to enforce; the caller holds mu.
func (d *daemon) start(b *artifact.Bundle) error {
	e, err := newEnforcement(d.cfg, b, d.log, d.owner.owner)
	if err != nil {
		return err
	}
	d.running = e
	go func() {
		if err := e.run(); err != nil {
			d.fail(err)
		}
	}()
	return nil
}

// fail ends the daemon with a fault found outside of its loop.
func (d *daemon) fail(err error) {
	select {
	case d.failed <- err:
	default: // an earlier fault already ends it
	}
}

// retire stops enforcing because the bundle is gone; the caller holds mu.
func (d *daemon) retire() {
	if d.running != nil {
		d.running.close()
		d.running = nil
		d.lastFail = ""
		_ = d.owner.use(nil)
	}
	if d.lastFail != waitingForBundle {
		d.lastFail = waitingForBundle
		d.log.Info(waitingForBundle, "path", d.cfg.bundlePath())
	}
}

var errStopping = errors.New("netpold is stopping")

const waitingForBundle = "waiting for a bundle"

// shutdown lets the engine write what it has decided and releases the kernel.
func (d *daemon) shutdown() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopping = true
	if d.running != nil {
		d.running.close()
		d.running = nil
	}
	if err := d.owner.close(); err != nil {
		d.log.Warn("let go of the table", "error", err)
	}
}

func (d *daemon) waiting() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.running == nil
}

// statusLine is what systemctl status shows.
func (d *daemon) statusLine() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running == nil {
		return waitingForBundle
	}
	return "enforcing bundle " + d.running.digest[:12]
}
