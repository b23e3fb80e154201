package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/enforcer/kernel/files"
	"github.com/netpol/netpol/lang"
)

// lockUpdate is what becomes of a policy set's lock file.
type lockUpdate struct {
	path   string
	before []byte // nil: the file does not exist
	after  []byte
	pinned []string // labels that get a bit they had no pin for
}

// lockUpdate works out the lock file of a compiled set. It writes nothing.
// router is what is known of the router that the set is for.
func (s *policySet) lockUpdate(router compiler.Router) (lockUpdate, error) {
	after := lang.FormatLock(compiler.NewLock(s.bundle, s.policy.Lock, router))
	u, err := readLockUpdate(filepath.Join(s.dir, lang.LockName), after)
	if err != nil {
		return lockUpdate{}, err
	}
	had := make(map[string]bool, len(s.policy.Lock.Labels))
	for _, l := range s.policy.Lock.Labels {
		had[l.Name] = true
	}
	for _, l := range s.bundle.Labels {
		if !had[l.Name] {
			u.pinned = append(u.pinned, l.Name)
		}
	}
	return u, nil
}

// readLockUpdate is the change of the lock file at path to a new content.
func readLockUpdate(path string, after []byte) (lockUpdate, error) {
	before, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return lockUpdate{}, fmt.Errorf("read lock file: %w", err)
	}
	return lockUpdate{path: path, before: before, after: after}, nil
}

// changed reports whether the lock file has to be written.
func (u lockUpdate) changed() bool { return !bytes.Equal(u.before, u.after) }

// beforeDigest tells one version of the lock file from another.
func (u lockUpdate) beforeDigest() string {
	if u.before == nil {
		return ""
	}
	sum := sha256.Sum256(u.before)
	return hex.EncodeToString(sum[:])
}

// write puts the new lock file in place, if it differs from the old.
func (u lockUpdate) write() error {
	staged, err := u.stage()
	if err != nil {
		return err
	}
	return staged.commit()
}

// stagedLock is a lock file that waits for its name until what it pins is in
// force. Exactly one of commit and discard is to be called.
type stagedLock struct {
	update lockUpdate
	file   *files.Staged // nil: nothing to write, or not a regular file
}

// stage writes the new lock file beside the old, so that a directory that takes
// none is found before the router is changed.
func (u lockUpdate) stage() (stagedLock, error) {
	staged := stagedLock{update: u}
	if !u.changed() || special(u.path) {
		return staged, nil
	}
	var err error
	if owner, ok := u.owner(); ok {
		staged.file, err = files.StageAs(u.path, u.after, modeOf(u.path), owner)
	} else {
		staged.file, err = files.Stage(u.path, u.after, modeOf(u.path))
	}
	if err != nil {
		return staged, fmt.Errorf("pin labels: %w", err)
	}
	return staged, nil
}

// commit gives the lock file its name.
func (s stagedLock) commit() error {
	var err error
	switch {
	case s.file != nil:
		err = s.file.Commit()
	case s.update.changed():
		err = writeFile(s.update.path, s.update.after)
	}
	if err != nil {
		return fmt.Errorf("pin labels: %w", err)
	}
	return nil
}

// discard leaves the lock file as it was.
func (s stagedLock) discard() {
	if s.file != nil {
		s.file.Discard()
	}
}

// owner is whom the file belongs to that root writes for somebody else: behind
// sudo the lock file must stay one that its author can change and commit. It is
// the owner of the file that is there, or else of its directory.
func (u lockUpdate) owner() (files.Owner, bool) {
	if os.Geteuid() != 0 {
		return files.Owner{}, false
	}
	for _, path := range []string{u.path, filepath.Dir(u.path)} {
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 {
			return files.Owner{UID: int(stat.Uid), GID: int(stat.Gid)}, true
		}
	}
	return files.Owner{}, false
}
