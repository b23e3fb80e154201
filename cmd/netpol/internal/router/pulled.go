package router

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/netpol/netpol/enforcer/kernel/files"
)

// Under StateDir: the release that this router went over to last, and what is
// known of the source that it came from.
const (
	releaseName = "release.npr"
	pulledName  = "pulled.json"
)

// Pulled is what the last pull left for the next one. It only saves work: a pull
// without it fetches everything and comes to the same.
type Pulled struct {
	Source string    `json:"source"`
	Tag    string    `json:"tag,omitempty"` // of the source's state
	Digest string    `json:"digest"`        // of what came: a release's file, or a bundle
	Time   time.Time `json:"time"`
}

// ReleasePath is where the release lies that the router went over to last.
func (r Router) ReleasePath() string { return r.statePath(releaseName) }

// Pulled reads what the last pull left; the zero value where it cannot be read.
func (r Router) Pulled() Pulled {
	var p Pulled
	if readRecord(r.statePath(pulledName), &p) != nil {
		return Pulled{}
	}
	return p
}

// KeepPulled writes what the next pull is to know, and the release, unless that is
// nil. The caller holds the Lock.
func (r Router) KeepPulled(p Pulled, release []byte) error {
	if release != nil {
		if err := files.Atomic(r.ReleasePath(), release, 0o644); err != nil {
			return fmt.Errorf("keep release: %w", err)
		}
	}
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("keep release: %w", err)
	}
	if err := files.Atomic(r.statePath(pulledName), data, 0o644); err != nil {
		return fmt.Errorf("keep release: %w", err)
	}
	return nil
}

// ForgetPulled removes what pulls left: the memory of which releases are old, too.
// The caller holds the Lock.
func (r Router) ForgetPulled() error {
	if err := errors.Join(remove(r.ReleasePath()), remove(r.statePath(pulledName))); err != nil {
		return fmt.Errorf("forget releases: %w", err)
	}
	return nil
}

// LastRelease is the highest serial of a release in the history; 0 for none.
func (r Router) LastRelease() (uint64, error) {
	history, err := r.History()
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // a record that went while it was read
	}
	var last uint64
	for _, rev := range history {
		last = max(last, rev.Release)
	}
	return last, err
}

// AppliedDigest is that of the applied bundle; empty where there is none that can
// be read.
func (r Router) AppliedDigest() string {
	b, err := readBundleFile(r.BundlePath())
	if err != nil {
		return ""
	}
	return b.Digest()
}
