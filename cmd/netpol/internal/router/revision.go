package router

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/control"
)

// Under StateDir, revisions/ holds N.json and N.npb for each bundle that was put
// in force. Without its .json a revision has never been.
const (
	revisionsName = "revisions"
	bundleSuffix  = ".npb"
	recordSuffix  = ".json"

	// keptRevisions bounds the history.
	keptRevisions = 50
	// maxRecord bounds a record or journal: it names 128 labels in two files.
	maxRecord = 1 << 20
)

// Operations that make a revision.
const (
	OpApply    = "apply"
	OpRollback = "rollback"
	OpTimeout  = "timeout" // a change that nobody confirmed was taken back
	OpFound    = "found"   // in force before there was a history
)

// ErrNoRevision says that the history has no such revision.
var ErrNoRevision = errors.New("no such revision")

// Revision is a bundle that was put in force.
type Revision struct {
	Serial    int       `json:"revision"` // from 1, never used twice
	Time      time.Time `json:"time"`
	Operation string    `json:"operation"`
	Of        int       `json:"rolled_back_to,omitempty"` // the revision that it repeats
	Author    string    `json:"author,omitempty"`
	Message   string    `json:"message,omitempty"`
	Commit    string    `json:"commit,omitempty"`  // of the policy files, in git
	Release   uint64    `json:"release,omitempty"` // serial of the signed release that it came with
	Digest    string    `json:"bundle_digest"`
	Policies  int       `json:"policies"`
	Labels    int       `json:"labels"`
}

func (r Router) statePath(names ...string) string {
	return filepath.Join(append([]string{r.StateDir}, names...)...)
}

func (r Router) revisionPath(serial int, suffix string) string {
	return r.statePath(revisionsName, strconv.Itoa(serial)+suffix)
}

// History lists the revisions, the newest first. A record that cannot be read is
// an error beside those that can.
func (r Router) History() ([]Revision, error) {
	entries, err := os.ReadDir(r.statePath(revisionsName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	var list []Revision
	var errs []error
	for _, e := range entries {
		name, isRecord := strings.CutSuffix(e.Name(), recordSuffix)
		serial, err := strconv.Atoi(name)
		if !isRecord || err != nil || serial < 1 {
			continue
		}
		var rev Revision
		if err := readRecord(r.revisionPath(serial, recordSuffix), &rev); err != nil {
			errs = append(errs, err)
			continue
		}
		rev.Serial = serial
		list = append(list, rev)
	}
	slices.SortFunc(list, func(a, b Revision) int { return b.Serial - a.Serial })
	return list, errors.Join(errs...)
}

// current is the newest revision of a bundle; ok is false when it has none.
func current(history []Revision, b *artifact.Bundle) (Revision, bool) {
	if b == nil {
		return Revision{}, false
	}
	digest := b.Digest()
	i := slices.IndexFunc(history, func(rev Revision) bool { return rev.Digest == digest })
	if i < 0 {
		return Revision{}, false
	}
	return history[i], true
}

// Current is the revision in force; ok is false when nothing that the history
// knows is.
func (r Router) Current(live *Live) (rev Revision, ok bool) {
	history, _ := r.History() // what can be read of it
	return current(history, live.Bundle)
}

// CurrentSerial is the number of the revision in force by the applied bundle
// alone; 0 when there is none.
func (r Router) CurrentSerial() (int, error) {
	b, err := readBundleFile(r.BundlePath())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	history, _ := r.History() // what can be read of it
	rev, _ := current(history, b)
	return rev.Serial, nil
}

// Waiting is the change that waits to be confirmed; the error wraps fs.ErrNotExist
// when there is none. If its file is damaged it is the newest revision, because
// nothing else is applied while one waits: without a deadline, so that its time is
// over, and damaged says why.
func (r Router) Waiting() (p control.Pending, damaged, err error) {
	p, damaged = control.ReadPending(r.PendingPath())
	if damaged == nil || errors.Is(damaged, fs.ErrNotExist) {
		return p, nil, damaged
	}
	history, _ := r.History() // what can be read of it
	if len(history) == 0 {
		return control.Pending{}, nil, damaged
	}
	var made journal
	if err := readRecord(r.revisionPath(history[0].Serial, recordSuffix), &made); err != nil {
		return control.Pending{}, nil, errors.Join(damaged, err)
	}
	return control.Pending{Serial: history[0].Serial, Before: made.Before}, damaged, nil
}

// Bundle loads the bundle of a revision.
func (r Router) Bundle(serial int) (*artifact.Bundle, error) {
	b, err := readBundleFile(r.revisionPath(serial, bundleSuffix))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("revision %d: %w (netpol history lists them)", serial, ErrNoRevision)
	case err != nil:
		return nil, fmt.Errorf("revision %d: %w", serial, err)
	}
	var rev Revision
	if err := readRecord(r.revisionPath(serial, recordSuffix), &rev); err == nil && rev.Digest != b.Digest() {
		return nil, fmt.Errorf("revision %d: %s is not the bundle that was applied then: it has another digest", serial, r.revisionPath(serial, bundleSuffix))
	}
	return b, nil
}

// newestBundle is the bundle of the newest revision that can be read; nil if there
// is none.
func (r Router) newestBundle() *artifact.Bundle {
	history, _ := r.History() // what can be read of it
	for _, rev := range history {
		if b, err := r.Bundle(rev.Serial); err == nil {
			return b
		}
	}
	return nil
}

// nextSerial is a number that no revision has had.
func (r Router) nextSerial() int {
	last := 0
	entries, _ := os.ReadDir(r.statePath(revisionsName)) // none: the first one
	for _, e := range entries {
		name := strings.TrimSuffix(strings.TrimSuffix(e.Name(), recordSuffix), bundleSuffix)
		if n, err := strconv.Atoi(name); err == nil {
			last = max(last, n)
		}
	}
	return last + 1
}

// prune forgets the oldest revisions. keep is never forgotten.
func (r Router) prune(keep int) error {
	history, _ := r.History() // a record that cannot be read stays
	var errs []error
	for _, rev := range history[min(keptRevisions, len(history)):] {
		if rev.Serial == keep {
			continue
		}
		errs = append(errs, remove(r.revisionPath(rev.Serial, recordSuffix)), remove(r.revisionPath(rev.Serial, bundleSuffix)))
	}
	return errors.Join(errs...)
}

// readRecord reads a record of the state directory.
func readRecord(path string, into any) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > maxRecord {
		return fmt.Errorf("read %s: not a record of netpol's", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := control.DecodeRecord(data, into); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// remove is os.Remove that is content when there is nothing.
func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
