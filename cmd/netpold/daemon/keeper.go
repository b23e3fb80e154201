package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/kernel/nftwatch"
)

// repair is what netpold does about changes of netpol's table by others.
type repair string

const (
	repairOff     repair = "off"     // it tells of them
	repairMissing repair = "missing" // it puts the table back when it is gone
	repairAny     repair = "any"     // and takes back every other change
)

const (
	// keeperTick is how often files are looked at: deadlines and the bundle.
	keeperTick = 500 * time.Millisecond
	// lookForTable is how often the table is looked for, in case an announcement
	// was missed.
	lookForTable = 30 * time.Second
	// grace is what a deadline may be overdue before netpold takes the change back:
	// the process that apply --confirm left behind comes first.
	grace = 2 * time.Second
	// retry lies between two calls of the tool that failed.
	retry = 5 * time.Second
	// toolLimit bounds one call of the tool, which may wait for another one.
	toolLimit = time.Minute
	// keptChanges bounds what is remembered of changes by others.
	keptChanges = 16
)

// keeper sees to it that the router stays as it was applied: it notices when
// others change netpol's table, and changes that nobody confirmed. What is to be
// done about it the tool does, because netpold links nothing that writes rules.
type keeper struct {
	cfg    config
	log    *slog.Logger
	active func() bool                                          // a bundle is in force
	reload func()                                               // the bundle file has changed
	tool   func(ctx context.Context, args ...string) error      // runs netpol
	watch  func() (*nftwatch.Watcher, error)                    // opens the kernel's announcements
	there  func(family, table string) (present bool, err error) // looks for the table

	mu      sync.Mutex // guards what follows
	changes []control.Change
	repairs uint64

	lastFault string
	bundle    os.FileInfo // as it was when it was loaded last
}

func newKeeper(cfg config, log *slog.Logger) *keeper {
	k := &keeper{
		cfg: cfg, log: log,
		watch: func() (*nftwatch.Watcher, error) { return nftwatch.Open(ownFamily, ownTable) },
		there: nftwatch.Present,
	}
	k.tool = k.runTool
	return k
}

// The table that netpol owns.
const (
	ownFamily = "inet"
	ownTable  = "netpol"
)

// runTool calls netpol with netpold's directories. Capabilities that netpold was
// given by its service manager are the tool's as well.
func (k *keeper) runTool(ctx context.Context, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, toolLimit)
	defer cancel()
	args = append(args, "--lock-timeout", "30s", "--state-dir", k.cfg.stateDir, "--run-dir", k.cfg.runDir, "--etc-dir", k.cfg.etcDir)
	out, err := exec.CommandContext(ctx, k.cfg.tool, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("netpol %s: %w: %s", args[0], err, strings.TrimSpace(string(out)))
	}
	return nil
}

// defaultTool is the netpol beside this netpold.
func defaultTool() string {
	if self, err := os.Executable(); err == nil {
		return filepath.Join(filepath.Dir(self), "netpol")
	}
	return "netpol"
}

// run keeps watch until ctx ends.
func (k *keeper) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { k.keepFiles(ctx) })
	w, err := k.watch()
	if err != nil {
		k.log.Warn("watch the table", "error", err)
		return
	}
	defer func() { _ = w.Close() }()
	k.keepTable(ctx, w)
}

// keepTable follows the kernel's announcements.
func (k *keeper) keepTable(ctx context.Context, w *nftwatch.Watcher) {
	looked := time.Time{} // at once: it may have gone before
	for ctx.Err() == nil {
		c, ok, err := w.Next(keeperTick)
		if err != nil {
			k.fault("watch the table", err)
			return
		}
		if ok && !c.Lost && !byNetpol(c) {
			k.changed(ctx, c)
		}
		if c.Lost || time.Since(looked) > lookForTable {
			looked = time.Now()
			k.look(ctx)
		}
	}
}

// byNetpol tells netpol's own changes from others'. It is a name, which anybody
// can have: it decides on what is told and repaired, not on what is trusted.
func byNetpol(c nftwatch.Change) bool { return c.Process == "netpol" || c.Process == "netpold" }

// changed notes a change by somebody else and does about it what the policy of
// repair says.
func (k *keeper) changed(ctx context.Context, c nftwatch.Change) {
	if !k.active() {
		return
	}
	k.log.Warn("somebody changed netpol's table", "process", c.Process, "pid", c.PID, "command", c.Command, "removed", c.Removed)
	k.mu.Lock()
	k.changes = append(k.changes, control.Change{
		Time: time.Now().UTC(), PID: c.PID, Process: c.Process, Command: c.Command, Removed: c.Removed, Messages: c.Messages,
	})
	k.changes = k.changes[max(len(k.changes)-keptChanges, 0):]
	k.mu.Unlock()
	if c.Removed && k.cfg.repair != repairOff || k.cfg.repair == repairAny {
		k.restore(ctx)
	}
}

// look puts the table back if it is not there.
func (k *keeper) look(ctx context.Context) {
	if k.cfg.repair == repairOff || !k.active() {
		return
	}
	if there, err := k.there(ownFamily, ownTable); err != nil {
		k.fault("look for the table", err)
	} else if !there {
		k.restore(ctx)
	}
}

// restore has the tool bring back what was applied.
func (k *keeper) restore(ctx context.Context) {
	if _, err := os.Stat(k.cfg.bundlePath()); errors.Is(err, fs.ErrNotExist) {
		return // it was destroyed
	}
	if err := k.tool(ctx, "restore"); err != nil {
		k.fault("repair the table", err)
		return
	}
	k.log.Info("table repaired")
	k.mu.Lock()
	k.repairs++
	k.mu.Unlock()
}

// keepFiles looks at deadlines and at the bundle file.
func (k *keeper) keepFiles(ctx context.Context) {
	tick := time.NewTicker(keeperTick)
	defer tick.Stop()
	var tried time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if k.active() && k.bundleMoved() {
			k.reload()
		}
		p, err := control.ReadPending(filepath.Join(k.cfg.stateDir, control.PendingName))
		if err != nil || p.Left() > -grace || time.Since(tried) < retry {
			continue
		}
		tried = time.Now()
		k.log.Warn("nobody confirmed the change: taking it back", "revision", p.Serial, "before", p.Before)
		if err := k.tool(ctx, "rollback", "--expired"); err != nil {
			k.fault("take back a change", err)
		}
	}
}

// loaded notes the bundle file that is about to be loaded.
func (k *keeper) loaded() {
	info, err := os.Stat(k.cfg.bundlePath())
	if err != nil {
		info = nil
	}
	k.mu.Lock()
	k.bundle = info
	k.mu.Unlock()
}

// bundleMoved reports whether another file has come in the place of the one that
// was loaded, as it does when an apply was killed before it could say so.
func (k *keeper) bundleMoved() bool {
	info, err := os.Stat(k.cfg.bundlePath())
	if err != nil {
		return false // gone: the tool says so, or the next start finds out
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.bundle == nil || !os.SameFile(info, k.bundle) || !info.ModTime().Equal(k.bundle.ModTime())
}

// fault logs what went wrong, once until something else does.
func (k *keeper) fault(what string, err error) {
	k.mu.Lock()
	again := k.lastFault == err.Error()
	k.lastFault = err.Error()
	k.mu.Unlock()
	if !again {
		k.log.Error(what, "error", err)
	}
}

// told are the changes by others, the oldest first, and how often the table was
// put back.
func (k *keeper) told() ([]control.Change, uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]control.Change(nil), k.changes...), k.repairs
}
