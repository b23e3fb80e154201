package router

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/kernel/files"
	"github.com/netpol/netpol/enforcer/kernel/iprule"
	"github.com/netpol/netpol/enforcer/kernel/nft"
)

// The nftables transaction is atomic by itself. What else an apply changes, the
// label files and the bundle file, is told to a journal first: whoever comes
// after an apply that was killed finds out from the kernel's table whether the
// transaction happened, and finishes the rest or takes it back.
const (
	journalName = "journal.json"
	nextName    = "next.npb" // the bundle that becomes bundle.npb
)

// journal is journal.json: the record of the revision in the making, and what
// there was before. Renamed to N.json it becomes the record itself.
type journal struct {
	Revision
	// New says that the revision is not in the history yet; otherwise the bundle
	// of the current revision is put back in force.
	New bool `json:"new"`
	// Before is the revision that was in force; 0 for none.
	Before int `json:"before"`
	// Files are netpol's blocks as they were, in the order of ConnlabelFiles.
	Files []blockBefore `json:"label_files"`
}

// blockBefore is netpol's block of a label file before the apply.
type blockBefore struct {
	Present bool             `json:"present"`
	Labels  []artifact.Label `json:"labels,omitempty"`
}

// Meta is what a revision says of itself, and how its change is to be confirmed.
type Meta struct {
	Operation string // OpApply if empty
	Of        int
	Author    string // the user for whom this process works if empty
	Message   string
	Commit    string
	Release   uint64 // serial of the signed release; 0 for none
	// Confirm is how long the change waits to be confirmed; 0 does not wait.
	// Guard is called when that is on disk and before the kernel is changed: it
	// starts who takes the change back, and its error stops the apply.
	Confirm time.Duration
	Guard   func() error
}

// ErrJournal says that the journal cannot be read.
var ErrJournal = errors.New("the journal of an interrupted apply is damaged")

// readJournal returns nil where there is none.
func (r Router) readJournal() (*journal, error) {
	var j journal
	err := readRecord(r.statePath(journalName), &j)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil && !isFault(err):
		return nil, fmt.Errorf("%w: %w", ErrJournal, err)
	case err != nil:
		return nil, err
	case j.Serial < 1 || len(j.Files) != len(ConnlabelFiles()):
		return nil, fmt.Errorf("%w: %s does not name what was being done", ErrJournal, r.statePath(journalName))
	}
	return &j, nil
}

// isFault tells trouble with a file from trouble with what is in it.
func isFault(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path)
}

// begin puts everything on disk that the change needs, so that nothing can be
// missing once the kernel has taken it. On an error nothing is left.
func (r Router) begin(b *artifact.Bundle, live *Live, meta Meta) (*journal, error) {
	j, err := r.newJournal(b, live, meta)
	if err != nil {
		return nil, err
	}
	if err := r.stage(b, j, live, meta); err != nil {
		return nil, errors.Join(fmt.Errorf("nothing was changed: %w", err), r.undo(j, nil))
	}
	return j, nil
}

func (r Router) newJournal(b *artifact.Bundle, live *Live, meta Meta) (*journal, error) {
	j := &journal{}
	for _, c := range live.connlabels {
		j.Files = append(j.Files, blockBefore{Present: c.HasBlock, Labels: c.Own})
	}
	if err := os.MkdirAll(r.statePath(revisionsName), 0o755); err != nil {
		return nil, fmt.Errorf("nothing was changed: make state directory: %w", err)
	}
	if live.Bundle != nil && live.Bundle.Digest() == b.Digest() {
		if rev, ok := r.Current(live); ok {
			j.Revision = rev
			return j, nil
		}
	}
	j.New = true
	j.Revision = Revision{
		Serial: r.nextSerial(), Time: time.Now().UTC().Truncate(time.Second), Operation: meta.Operation, Of: meta.Of,
		Author: cmp.Or(meta.Author, Author()), Message: meta.Message, Commit: meta.Commit, Release: meta.Release,
		Digest: b.Digest(), Policies: len(b.Policies), Labels: len(b.Labels),
	}
	if j.Operation == "" {
		j.Operation = OpApply
	}
	return j, nil
}

// stage writes the revision's bundle, the next bundle file, the deadline and, as
// the last, the journal.
func (r Router) stage(b *artifact.Bundle, j *journal, live *Live, meta Meta) error {
	var err error
	if j.Before, err = r.adopt(live, j); err != nil {
		return err
	}
	encoded, err := artifact.Encode(b)
	if err != nil {
		return err
	}
	if err := r.atomic(r.statePath(nextName), encoded); err != nil {
		return err
	}
	if j.New {
		if err := r.atomic(r.revisionPath(j.Serial, bundleSuffix), encoded); err != nil {
			return err
		}
	}
	record, err := control.EncodeRecord(j)
	if err != nil {
		return err
	}
	if err := r.atomic(r.statePath(journalName), record); err != nil {
		return err
	}
	if meta.Confirm <= 0 || !j.New {
		return nil
	}
	return r.await(j, meta)
}

// adopt gives a bundle that was in force before there was a history a revision,
// so that there is something to go back to. It returns the revision in force; 0
// for none.
func (r Router) adopt(live *Live, j *journal) (int, error) {
	if live.Bundle == nil {
		return 0, nil
	}
	if rev, ok := r.Current(live); ok {
		return rev.Serial, nil
	}
	rev := Revision{
		Serial: j.Serial, Time: j.Time, Operation: OpFound,
		Digest: live.Bundle.Digest(), Policies: len(live.Bundle.Policies), Labels: len(live.Bundle.Labels),
	}
	encoded, err := artifact.Encode(live.Bundle)
	if err != nil {
		return 0, err
	}
	record, err := control.EncodeRecord(rev)
	if err != nil {
		return 0, err
	}
	err = r.atomic(r.revisionPath(rev.Serial, bundleSuffix), encoded)
	if err == nil {
		err = r.atomic(r.revisionPath(rev.Serial, recordSuffix), record)
	}
	j.Serial++
	return rev.Serial, err
}

// await notes the deadline and starts who keeps it.
func (r Router) await(j *journal, meta Meta) error {
	p := control.NewPending(j.Serial, j.Before, meta.Confirm)
	p.Author = j.Author
	data, err := control.EncodeRecord(p)
	if err != nil {
		return err
	}
	if err := r.atomic(r.PendingPath(), data); err != nil {
		return err
	}
	if meta.Guard != nil {
		return meta.Guard()
	}
	return nil
}

// Confirm lets the change that waits to be confirmed stay. The caller holds the
// Lock.
func (r Router) Confirm() error {
	r.at("confirm")
	if err := remove(r.PendingPath()); err != nil {
		return fmt.Errorf("confirm: %w", err)
	}
	if err := files.SyncDir(r.StateDir); err != nil {
		return fmt.Errorf("confirm: %w", err)
	}
	return nil
}

// atomic is files.Atomic with a place for tests to stop before and after it.
func (r Router) atomic(path string, data []byte) error {
	r.at("write " + filepath.Base(path))
	if err := files.Atomic(path, data, 0o644); err != nil {
		return err
	}
	r.at("wrote " + filepath.Base(path))
	return nil
}

// finish does what is left after the kernel took the change: the bundle file
// gets its name, and the journal becomes the revision's record.
func (r Router) finish(j *journal) error {
	r.at("name bundle")
	err := os.Rename(r.statePath(nextName), r.BundlePath())
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // not there: done before we were stopped
		return fmt.Errorf("put bundle in place: %w", err)
	}
	r.at("close journal")
	if j.New {
		err = os.Rename(r.statePath(journalName), r.revisionPath(j.Serial, recordSuffix))
	} else {
		err = os.Remove(r.statePath(journalName))
	}
	if err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	r.at("closed journal")
	return errors.Join(files.SyncDir(r.StateDir), files.SyncDir(r.statePath(revisionsName)), r.prune(j.Serial))
}

// undo takes back what begin and writeLabels did. The journal goes last, so that
// an undo that is stopped is done again.
func (r Router) undo(j *journal, step func(string)) error {
	var errs []error
	for i, before := range j.Files {
		path := r.connlabelPath(i)
		r.at("restore labels")
		if !before.Present {
			errs = append(errs, files.RemoveBlock(path))
		} else {
			errs = append(errs, files.WriteBlock(path, before.Labels))
		}
	}
	p, err := control.ReadPending(r.PendingPath())
	// A file that cannot be read is this change's too: an apply begins only where
	// nothing waits.
	if begun := err == nil && p.Serial == j.Serial || err != nil && j.Operation == OpApply; begun && j.New {
		errs = append(errs, remove(r.PendingPath()))
	}
	errs = append(errs, remove(r.statePath(nextName)))
	if j.New {
		errs = append(errs, remove(r.revisionPath(j.Serial, bundleSuffix)))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("take back what was begun: %w", err)
	}
	r.at("drop journal")
	if err := remove(r.statePath(journalName)); err != nil {
		return fmt.Errorf("take back what was begun: %w", err)
	}
	_ = os.Remove(r.statePath(revisionsName)) // refused unless empty
	if step != nil {
		step("Took back what an interrupted apply had begun; the router runs what it ran before")
	}
	return nil
}

// Recover finishes or takes back an apply that was stopped midway. The caller
// holds the Lock. A journal that cannot be read is set aside: what the router
// runs is read from the router, so nothing depends on it but what is left of the
// label files, which the next apply writes again.
func (r Router) Recover(step func(string)) error {
	j, err := r.readJournal()
	switch {
	case errors.Is(err, ErrJournal):
		aside := r.statePath("journal.damaged")
		if err := os.Rename(r.statePath(journalName), aside); err != nil {
			return fmt.Errorf("set the damaged journal aside: %w", err)
		}
		step(fmt.Sprintf("%v; it is %s now, and this apply writes everything anew", err, aside))
		return nil
	case err != nil:
		return err
	case j == nil:
		return r.sweep()
	}
	r.at("recover")
	committed, b, err := r.committed(j)
	if err != nil {
		return err
	}
	before := r.before(j)
	if !committed {
		if err := r.settle(b, before); err != nil {
			return err
		}
		return r.undo(j, step)
	}
	if err := r.settle(before, b); err != nil {
		return err
	}
	if err := r.writeLabels(b.Labels, func(string) {}); err != nil {
		return err
	}
	if err := r.finish(j); err != nil {
		return err
	}
	step(fmt.Sprintf("Finished an interrupted apply: revision %d is in force", j.Serial))
	return nil
}

// before loads the bundle that was in force when the journal was written; nil if
// there was none, or none that can be read: then the next apply makes everything
// anew.
func (r Router) before(j *journal) *artifact.Bundle {
	if j.Before == 0 {
		return nil
	}
	if b, err := r.Bundle(j.Before); err == nil {
		return b
	}
	if b, err := readBundleFile(r.BundlePath()); err == nil && b.Digest() != j.Digest {
		return b
	}
	return nil
}

// settle makes the sets and routing rules those of one bundle, after another was
// being put in its place. nil is a bundle that has none.
func (r Router) settle(from, to *artifact.Bundle) error {
	none := &artifact.Bundle{}
	from, to = cmp.Or(from, none), cmp.Or(to, none)
	if _, err := r.prepareSets(to, func(string) {}); err != nil {
		return err
	}
	routes := iprule.Of(to.Routes)
	if err := errors.Join(iprule.Add(routes), iprule.Keep(routes)); err != nil {
		return fmt.Errorf("put routing rules right: %w", err)
	}
	r.collectSets(&Live{Bundle: from}, to.FlowSets, func(string) {})
	return nil
}

// committed reports whether the kernel took the journal's change, and loads its
// bundle, nil if it cannot be read.
func (r Router) committed(j *journal) (bool, *artifact.Bundle, error) {
	b, err := r.Bundle(j.Serial)
	if err != nil {
		return false, nil, nil // begin was stopped before there was anything to commit
	}
	now, err := nft.Read(family, table, nil)
	if err != nil {
		return false, nil, err
	}
	if err := now.Clock(b.Ruleset.Sets, time.Now()); err != nil {
		return false, nil, err
	}
	return slices.Equal(now.Lines(), nft.Canonical(&b.Ruleset).Lines()), b, nil
}

// sweep removes what a process that was killed left half written.
func (r Router) sweep() error {
	var errs []error
	for _, pattern := range []string{
		r.statePath(".*.new"), r.statePath(revisionsName, ".*.new"), r.statePath(nextName),
		filepath.Join(r.EtcDir, ".connlabel.conf.*.new"), filepath.Join(r.EtcDir, "xtables", ".connlabel.conf.*.new"),
	} {
		found, _ := filepath.Glob(pattern) // the patterns are well formed
		for _, path := range found {
			errs = append(errs, remove(path))
		}
	}
	bundles, _ := filepath.Glob(r.statePath(revisionsName, "*"+bundleSuffix))
	for _, path := range bundles {
		record := path[:len(path)-len(bundleSuffix)] + recordSuffix
		if _, err := os.Lstat(record); errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, remove(path))
		}
	}
	if err := errors.Join(errs...); err != nil && !errors.Is(err, fs.ErrPermission) && !isReadOnly(err) {
		return fmt.Errorf("tidy state directory: %w", err)
	}
	return nil
}
