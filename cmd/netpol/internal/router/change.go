package router

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/files"
	"github.com/netpol/netpol/enforcer/kernel/nft"
	"github.com/netpol/netpol/enforcer/reconcile"
)

// ErrMoved says that somebody changed the router between the plan and the
// change; nothing was changed then.
var ErrMoved = errors.New("the router changed while netpol was at work; nothing was changed, try again")

// BehindError says that the kernel has taken a change, and that something else has
// failed after it.
type BehindError struct{ err error }

func (e *BehindError) Error() string { return e.err.Error() }
func (e *BehindError) Unwrap() error { return e.err }

// Apply is ApplyAs that says nothing of itself and waits for nobody.
func (r Router) Apply(b *artifact.Bundle, live *Live, step func(string)) error {
	return r.ApplyAs(b, live, Meta{}, step)
}

// ApplyAs makes the router run the bundle and reads it back. The caller holds
// the Lock that live was read under, and has had Recover look for what was left
// undone. step is told of each thing done.
//
// The nftables transaction is the commit point. Everything that the change needs
// is on disk before it, and a journal says what is to be done after it, so that an
// apply that is killed anywhere is finished or taken back by the next one. What fails
// after it is a BehindError.
func (r Router) ApplyAs(b *artifact.Bundle, live *Live, meta Meta, step func(string)) error {
	if err := live.clashes(b.Labels); err != nil {
		return err
	}
	if err := live.renumbered(b, meta); err != nil {
		return err
	}
	if r.onlyTable(b, live) {
		return r.putBack(b, live, step)
	}
	j, err := r.begin(b, live, meta)
	if err != nil {
		return err
	}
	takeBack, err := r.prepare(b, live, step)
	if err != nil {
		return errors.Join(err, r.undo(j, nil))
	}
	if err := r.writeLabels(b.Labels, step); err != nil {
		return errors.Join(err, takeBack(), r.undo(j, nil))
	}
	if err := live.clearFresh(b, step); err != nil {
		return errors.Join(err, takeBack(), r.undo(j, nil))
	}
	r.at("commit")
	if err := r.commit(b, live, step); err != nil {
		return errors.Join(err, takeBack(), r.undo(j, nil))
	}
	r.at("committed")
	cleared := live.clearMoved(b, step)
	r.collectSets(live, b.FlowSets, step)
	r.collectRoutes(live, b.Routes, step)
	if err := r.finish(j); err != nil {
		return &BehindError{fmt.Errorf("the kernel has the new rules, but the files are behind; the next netpol apply puts them right: %w", err)}
	}
	if cleared != nil {
		return &BehindError{fmt.Errorf("the new rules are in force, and connections may carry labels of the old ones: %w", cleared)}
	}
	step("Left the bundle in " + r.BundlePath())
	return r.verify(b, step)
}

// prepare makes what stands outside of the transaction: sets and routing rules,
// which do nothing before the table refers to them. takeBack removes what it made.
func (r Router) prepare(b *artifact.Bundle, live *Live, step func(string)) (takeBack func() error, err error) {
	r.at("prepare")
	removeSets, err := r.prepareSets(b, step)
	if err != nil {
		return nil, err
	}
	removeRoutes, err := r.prepareRoutes(b, live, step)
	if err != nil {
		return nil, errors.Join(err, removeSets())
	}
	r.at("prepared")
	return func() error { return errors.Join(removeSets(), removeRoutes()) }, nil
}

// putBack brings the kernel in line with a bundle that the files say already.
func (r Router) putBack(b *artifact.Bundle, live *Live, step func(string)) error {
	if _, err := r.prepare(b, live, step); err != nil {
		return err
	}
	if err := r.commit(b, live, step); err != nil {
		return err
	}
	r.collectRoutes(live, b.Routes, step)
	return r.verify(b, step)
}

// onlyTable reports whether the kernel's table is all that is to be changed:
// the kernel takes that whole or not at all, and needs no file for it.
func (r Router) onlyTable(b *artifact.Bundle, live *Live) bool {
	if live.Bundle == nil || live.Bundle.Digest() != b.Digest() || live.interrupted {
		return false
	}
	for _, c := range live.connlabels {
		if !c.HasBlock || !slices.EqualFunc(c.Own, b.Labels, sameLabel) {
			return false
		}
	}
	_, known := r.Current(live)
	return known
}

// clashes refuses labels that a stranger's line gained since the plan.
func (l *Live) clashes(labels []artifact.Label) error {
	for i, c := range l.connlabels {
		if found := c.Clashes(labels); len(found) > 0 {
			return fmt.Errorf("%s: bit %d is %q there, which is not netpol's line; give the label another name or remove the line",
				ConnlabelFiles()[i], found[0].Bit, found[0].Name)
		}
	}
	return nil
}

// writeLabels writes the managed blocks.
func (r Router) writeLabels(labels []artifact.Label, step func(string)) error {
	for i := range ConnlabelFiles() {
		path := r.connlabelPath(i)
		before, err := files.ReadConnlabel(path)
		if err != nil {
			return err
		}
		if before.HasBlock && slices.EqualFunc(before.Own, labels, sameLabel) {
			continue
		}
		r.at("write labels")
		if err := files.WriteBlock(path, labels); err != nil {
			return err
		}
		r.at("wrote labels")
		step("Wrote the labels to " + path)
	}
	return nil
}

// sameLabel compares what a line of connlabel.conf says.
func sameLabel(a, b artifact.Label) bool { return a.Name == b.Name && a.Bit == b.Bit }

// commitPatience bounds how long a commit is tried again because somebody else
// changed the ruleset in between: firewalls that reload make hundreds of changes
// a second.
const commitPatience = 20 * time.Second

// commit replaces the table, unless it already is as it should be: a table
// that is not rewritten keeps its counters.
func (r Router) commit(b *artifact.Bundle, live *Live, step func(string)) error {
	if slices.Equal(live.Table.Lines(), nft.Canonical(&b.Ruleset).Lines()) {
		return nil
	}
	return r.changeTable(live, func() error { return r.replaceTable(b, live, step) })
}

func (r Router) replaceTable(b *artifact.Bundle, live *Live, step func(string)) error {
	now := live.Table
	err := nft.Replace(&b.Ruleset, now)
	// Any change to any table moves the generation, netpold's own heartbeat
	// among them. It is our table's content that the plan was made on.
	for until := time.Now().Add(commitPatience); errors.Is(err, nft.ErrStale) && time.Now().Before(until); {
		var readErr error
		if now, readErr = readTable(live); readErr != nil {
			return readErr
		}
		if !slices.Equal(now.Lines(), live.Table.Lines()) {
			break
		}
		err = nft.Replace(&b.Ruleset, now)
	}
	if errors.Is(err, nft.ErrStale) {
		return fmt.Errorf("replace the table %s %s: %w", family, table, ErrMoved)
	}
	if err != nil {
		return err
	}
	step(fmt.Sprintf("Replaced the table %s %s in one transaction", family, table))
	return nil
}

// readTable reads the kernel's table alone, as Read does.
func readTable(live *Live) (nft.State, error) {
	now, err := nft.Read(family, table, nil)
	if err == nil && live.Bundle != nil {
		err = now.Clock(live.Bundle.Ruleset.Sets, time.Now())
	}
	return now, err
}

// verify reads the router back and holds it against the bundle.
func (r Router) verify(b *artifact.Bundle, step func(string)) error {
	live, err := r.Read()
	if err != nil {
		return &BehindError{fmt.Errorf("read back: %w", err)}
	}
	if left := r.Diff(live, b); len(left) > 0 {
		return &BehindError{fmt.Errorf("read back: the router does not hold what was written: %s", describe(left))}
	}
	step("Read everything back: it is as planned")
	return nil
}

// Destroy removes everything of netpol's that live holds but the bundle, which
// RemoveBundle removes first. The caller holds the Lock that live was read
// under.
func (r Router) Destroy(live *Live, step func(string)) error {
	if live.Bundle == nil {
		// A destroy that was stopped after the bundle had gone.
		live.Bundle = r.newestBundle()
	}
	if err := r.changeTable(live, func() error { return nft.Delete(family, table) }); err != nil {
		return err
	}
	step(fmt.Sprintf("Removed the table %s %s", family, table))
	r.collectSets(live, nil, step)
	r.collectRoutes(live, nil, step)
	if err := live.forget(step); err != nil {
		return err
	}
	for i := range ConnlabelFiles() {
		if err := files.RemoveBlock(r.connlabelPath(i)); err != nil {
			return err
		}
	}
	step("Removed netpol's lines from the label files")
	after, err := r.Read()
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	if left := r.Diff(after, nil); len(left) > 0 {
		return fmt.Errorf("read back: something is left: %s", describe(left))
	}
	return r.RemoveStateDir()
}

// forget clears what the enforcer wrote on connections that are still open:
// label bits and marks outlive the table, and a done mark that stays behind
// would hide its connection from the next netpold.
func (l *Live) forget(step func(string)) error {
	n, err := ct.Forget(bitsOf(l.connlabels[0].Own, nil), marksOf(l.Bundle))
	if err != nil {
		return err
	}
	if n > 0 {
		step(fmt.Sprintf("Cleared netpol's labels and marks from %d open connections", n))
	}
	return nil
}

// RemoveBundle takes the applied bundle away, so that netpold finds none.
func (r Router) RemoveBundle() error {
	if err := os.Remove(r.BundlePath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove bundle: %w", err)
	}
	return nil
}

// RemoveStateDir removes what netpol keeps for itself, the history included, and
// the state directory if nothing else is in it.
func (r Router) RemoveStateDir() error {
	err := errors.Join(
		os.RemoveAll(r.statePath(revisionsName)), remove(r.statePath(nextName)), remove(r.PendingPath()),
		remove(r.statePath(journalName)), remove(r.statePath("journal.damaged")))
	if err != nil {
		return fmt.Errorf("remove history: %w", err)
	}
	entries, err := os.ReadDir(r.StateDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() != ownerName }) {
		return nil
	}
	if err == nil {
		err = errors.Join(remove(r.statePath(ownerName)), os.Remove(r.StateDir))
	}
	if err != nil {
		return fmt.Errorf("remove state directory: %w", err)
	}
	return nil
}

// isReadOnly tells a file system that takes no writes.
func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }

// describe names the first few of the changes that are left.
func describe(changes []reconcile.Change) string {
	const few = 3
	var out []string
	for _, c := range changes[:min(few, len(changes))] {
		out = append(out, c.Kind+" "+c.ID)
	}
	if len(changes) > few {
		out = append(out, fmt.Sprintf("and %d more", len(changes)-few))
	}
	return strings.Join(out, ", ")
}
