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

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/kernel/nftwatch"
	"github.com/netpol/netpol/enforcer/pulse"
)

// repair is what netpold does about changes of netpol's table by others.
type repair string

const (
	repairOff     repair = "off"     // it tells of them
	repairMissing repair = "missing" // it puts the table back when it is gone
	repairAny     repair = "any"     // and takes back every other change
)

const (
	// lookForTable is how often the table is looked for, in case an announcement
	// was missed.
	lookForTable = 30 * time.Second
	// grace is what a deadline may be overdue before netpold takes the change back:
	// the process that apply --confirm left behind comes first.
	grace = time.Second
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
	health *health
	active func() bool                                          // a bundle is in force
	reload func()                                               // the bundle file has changed
	tool   func(ctx context.Context, args ...string) error      // runs netpol
	sets   func() []artifact.FlowSet                            // that the bundle's policies add flows to
	renew  func(ids []string)                                   // has sets filled again
	watch  func() (*nftwatch.Watcher, error)                    // opens the kernel's announcements
	there  func(family, table string) (present bool, err error) // looks for the table
	own    func() error                                         // owns the table, if the bundle asks for it

	mu      sync.Mutex // guards what follows
	changes []control.Change
	repairs uint64
	bundle  os.FileInfo       // as it was when it was loaded last
	watcher *nftwatch.Watcher // nil while there is none
}

func newKeeper(cfg config, log *slog.Logger, h *health) *keeper {
	k := &keeper{
		cfg: cfg, log: log, health: h,
		sets:  func() []artifact.FlowSet { return nil },
		renew: func([]string) {},
		watch: func() (*nftwatch.Watcher, error) { return nftwatch.Open(targets(nil)...) },
		there: nftwatch.Present,
	}
	k.own = func() error { return nil }
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
	for ctx.Err() == nil {
		err := k.keepTable(ctx)
		if err == nil {
			return
		}
		k.health.tell("watch", control.Reason{
			Code: "watch", Detail: fmt.Sprintf("changes that others make to rules are not seen: %v", err),
			WayOut: "netpold needs CAP_NET_ADMIN and nf_tables; netpol plan --refresh-only looks for changes",
		})
		select {
		case <-ctx.Done():
		case <-time.After(retry):
		}
	}
}

// keepTable follows the kernel's announcements.
func (k *keeper) keepTable(ctx context.Context) error {
	w, err := k.watch()
	if err != nil {
		return err
	}
	defer k.follow(ctx, w)()
	k.health.tell("watch")
	if k.look(ctx) { // it may have gone before
		k.log.Warn("netpol's table was gone when netpold started; who removed it is not known")
	}
	looked := time.Now()
	for ctx.Err() == nil {
		if err := w.Watch(targets(k.sets())...); err != nil {
			return err
		}
		c, ok, err := w.Next(time.Until(looked.Add(lookForTable)))
		if err != nil {
			return err
		}
		if ok && !c.Lost && !byNetpol(c) {
			k.changed(ctx, c)
		} else if ok && c.Table == ownTable && !c.Removed {
			k.health.tell("table") // netpol has put it back
		}
		if c.Lost || time.Since(looked) >= lookForTable {
			looked = time.Now()
			k.look(ctx)
		}
		if c.Lost {
			k.renewAll()
		}
	}
	return nil
}

// follow has retarget and the end of ctx wake the watcher; the result closes it.
func (k *keeper) follow(ctx context.Context, w *nftwatch.Watcher) (end func()) {
	k.mu.Lock()
	k.watcher = w
	k.mu.Unlock()
	stop := context.AfterFunc(ctx, w.Wake)
	return func() {
		stop()
		k.mu.Lock()
		defer k.mu.Unlock()
		k.watcher = nil
		_ = w.Close()
	}
}

// retarget has the tables of the bundle in force watched.
func (k *keeper) retarget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.watcher != nil {
		k.watcher.Wake()
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
	by := control.Change{
		Time: time.Now().UTC(), PID: c.PID, Process: c.Process, Command: c.Command, Removed: c.Removed, Messages: c.Messages,
	}
	if c.Family == ownFamily && c.Table == ownTable {
		k.log.Warn("somebody changed netpol's table", "process", c.Process, "pid", c.PID, "command", c.Command, "removed", c.Removed)
		k.note(by)
		if k.cfg.repair == repairAny {
			k.restore(ctx)
		} else if c.Removed {
			k.look(ctx)
		}
		return
	}
	ids, managed := ofTable(k.sets(), c.Family, c.Table, c.Sets)
	for _, id := range ids {
		by.Set = id
		k.log.Warn("somebody took elements out of a set", "set", id, "process", c.Process, "pid", c.PID, "command", c.Command)
		k.note(by)
	}
	k.refill(ctx, ids, managed)
}

// note remembers a change.
func (k *keeper) note(c control.Change) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.changes = append(k.changes, c)
	k.changes = k.changes[max(len(k.changes)-keptChanges, 0):]
}

// setsLost are ipsets that were found without what netpold put into them.
func (k *keeper) setsLost(ctx context.Context, lost []lostSet) {
	var ids []string
	removed := false
	for _, s := range lost {
		k.log.Warn("somebody took elements out of a set", "set", s.id, "removed", s.removed, "process", "not known: nobody announces changes of ipsets")
		k.note(control.Change{Time: time.Now().UTC(), Set: s.id, Removed: s.removed})
		ids, removed = append(ids, s.id), removed || s.removed
	}
	k.refill(ctx, ids, removed)
}

// refill has sets filled again; those that netpol makes may have to be made first.
func (k *keeper) refill(ctx context.Context, ids []string, make bool) {
	if make && k.cfg.repair != repairOff {
		k.restore(ctx)
	}
	k.renew(ids)
}

// renewAll has every set filled again.
func (k *keeper) renewAll() {
	var ids []string
	for _, s := range k.sets() {
		ids = append(ids, s.ID())
	}
	k.renew(ids)
}

// look puts the table back if it is not there, or tells of it, and says whether it
// was so.
func (k *keeper) look(ctx context.Context) (gone bool) {
	if !k.active() {
		return false
	}
	there, err := k.there(ownFamily, ownTable)
	switch {
	case err != nil:
		k.unrepaired(err)
		return false
	case there:
		k.health.tell("table")
	case k.cfg.repair == repairOff:
		k.health.tell("table", control.Reason{
			Code: "table-missing", Detail: "netpol's table is not in the kernel: no policy acts", WayOut: "netpol restore",
		})
	default:
		k.restore(ctx)
	}
	return !there
}

// restore has the tool bring back what was applied.
func (k *keeper) restore(ctx context.Context) {
	if _, err := os.Stat(k.cfg.bundlePath()); errors.Is(err, fs.ErrNotExist) {
		return // it was destroyed
	}
	if err := k.tool(ctx, "restore"); err != nil {
		k.unrepaired(err)
		return
	}
	k.health.tell("repair")
	k.log.Info("table repaired")
	k.mu.Lock()
	k.repairs++
	k.mu.Unlock()
}

// keepFiles looks at deadlines and at the bundle file each second.
func (k *keeper) keepFiles(ctx context.Context) {
	var tried time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-pulse.Next():
		}
		if k.active() && k.bundleMoved() {
			k.reload()
		}
		_ = k.own() // it has said what is wrong
		p, ok := k.deadline()
		if !ok || p.Left() > -grace || time.Since(tried) < retry {
			continue
		}
		tried = time.Now()
		k.log.Warn("nobody confirmed the change: taking it back", "revision", p.Serial, "before", p.Before)
		if err := k.tool(ctx, "rollback", "--expired"); err != nil {
			k.unrepaired(err)
		}
	}
}

// deadline is the change that waits to be confirmed; ok is false if there is none,
// or none that can be read.
func (k *keeper) deadline() (p control.Pending, ok bool) {
	p, err := control.ReadPending(filepath.Join(k.cfg.stateDir, control.PendingName))
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
		k.health.tell("deadline")
	default:
		k.health.tell("deadline", control.Reason{
			Code: "deadline", Detail: fmt.Sprintf("a change waits to be confirmed, and its deadline cannot be read: %v", err),
			WayOut: "netpol confirm keeps the change; netpol rollback takes it back",
		})
	}
	return p, err == nil
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

// unrepaired tells that the tool could not do what netpold called it for.
func (k *keeper) unrepaired(err error) {
	k.health.tell("repair", control.Reason{
		Code: "repair", Detail: fmt.Sprintf("the router could not be put right: %v", err),
		WayOut: "run netpol restore as root, and see what it says",
	})
}

// told are the changes by others, the oldest first, and how often the table was
// put back.
func (k *keeper) told() ([]control.Change, uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]control.Change(nil), k.changes...), k.repairs
}
