package planfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/netpol/netpol/compiler/artifact"
)

// formatVersion is the version that this code writes and reads.
const formatVersion = 2

// maxBytes bounds a plan file: a bundle in base64 and some text.
const maxBytes = artifact.MaxBytes*4/3 + 1<<20

// Errors of Read, to be told apart with errors.Is.
var (
	ErrNotPlan = errors.New("not a plan file")
	ErrVersion = errors.New("plan file is of another version of netpol")
	ErrDamaged = errors.New("plan file is damaged")
)

// Plan is what a saved plan carries.
type Plan struct {
	// Live is the digest of the live state that the plan was made from.
	Live string
	// Revision is the one in force when the plan was made; 0 for none. A router that
	// went on and came back looks the same, and has another.
	Revision int
	// Bundle is what the router is to run.
	Bundle *artifact.Bundle
	// LockPath is the absolute path of the policy set's lock file, LockBefore
	// the sha256 of its content when the plan was made (empty: it did not
	// exist), and LockAfter what apply is to write there.
	LockPath   string
	LockBefore string
	LockAfter  string
}

// file is the JSON form of a Plan.
type file struct {
	Type          string `json:"type"` // netpol-plan
	FormatVersion int    `json:"format_version"`
	Live          string `json:"live_digest"`
	Revision      int    `json:"revision"`
	BundleDigest  string `json:"bundle_digest"`
	LockPath      string `json:"lock_path"`
	LockBefore    string `json:"lock_before"`
	LockAfter     string `json:"lock_after"`
	Bundle        []byte `json:"bundle"` // encoded, base64
}

const (
	fileType = "netpol-plan"
	lockName = "netpol.lock.hcl" // lang.LockName
)

// Encode writes a plan as JSON.
func Encode(p Plan) ([]byte, error) {
	bundle, err := artifact.Encode(p.Bundle)
	if err != nil {
		return nil, fmt.Errorf("encode plan: %w", err)
	}
	data, err := json.MarshalIndent(file{
		Type: fileType, FormatVersion: formatVersion, Live: p.Live, Revision: p.Revision, BundleDigest: p.Bundle.Digest(),
		LockPath: p.LockPath, LockBefore: p.LockBefore, LockAfter: p.LockAfter, Bundle: bundle,
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode plan: %w", err)
	}
	return append(data, '\n'), nil
}

// Decode reads what Encode wrote.
func Decode(r io.Reader) (Plan, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return Plan{}, fmt.Errorf("read plan: %w", err)
	}
	if len(data) > maxBytes {
		return Plan{}, fmt.Errorf("read plan: larger than %d bytes: %w", maxBytes, ErrNotPlan)
	}
	var f file
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return Plan{}, fmt.Errorf("read plan: %w: %w", ErrNotPlan, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Plan{}, fmt.Errorf("read plan: bytes after its end: %w", ErrDamaged)
	}
	return f.plan()
}

// plan checks the parts against each other.
func (f file) plan() (Plan, error) {
	switch {
	case f.Type != fileType:
		return Plan{}, fmt.Errorf("read plan: type %q: %w", f.Type, ErrNotPlan)
	case f.FormatVersion != formatVersion:
		return Plan{}, fmt.Errorf("read plan: format version %d, want %d: %w", f.FormatVersion, formatVersion, ErrVersion)
	case f.Revision < 0:
		return Plan{}, fmt.Errorf("read plan: revision %d: %w", f.Revision, ErrDamaged)
	case f.Live == "":
		return Plan{}, fmt.Errorf("read plan: no digest of the live state: %w", ErrDamaged)
	case !filepath.IsAbs(f.LockPath) || filepath.Base(f.LockPath) != lockName:
		// apply writes this file as root: a plan must not choose another name.
		return Plan{}, fmt.Errorf("read plan: lock path %q is not an absolute path of a %s: %w", f.LockPath, lockName, ErrDamaged)
	}
	b, err := artifact.Decode(f.Bundle)
	if err != nil {
		return Plan{}, fmt.Errorf("read plan: %w: %w", ErrDamaged, err)
	}
	if b.Digest() != f.BundleDigest {
		return Plan{}, fmt.Errorf("read plan: bundle does not have the digest %s: %w", f.BundleDigest, ErrDamaged)
	}
	return Plan{
		Live: f.Live, Revision: f.Revision, Bundle: b,
		LockPath: f.LockPath, LockBefore: f.LockBefore, LockAfter: f.LockAfter,
	}, nil
}
