//go:build unix

package router

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ErrLocked is returned while another netpol changes the same router.
var ErrLocked = errors.New("another netpol is changing this router")

// Lock keeps other netpol processes from changing the router until the
// returned function is called. It makes the state directory; unlock removes it
// again if nothing has come into it.
func (r Router) Lock() (unlock func(), err error) {
	_, statErr := os.Stat(r.StateDir)
	if err := os.MkdirAll(r.StateDir, 0o755); err != nil {
		return nil, fmt.Errorf("lock router: %w", err)
	}
	// The directory itself is locked, so that no lock file stays behind.
	dir, err := os.Open(filepath.Clean(r.StateDir))
	if err != nil {
		return nil, fmt.Errorf("lock router: %w", err)
	}
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		dir.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w; try again when it is done", r.StateDir, ErrLocked)
		}
		return nil, fmt.Errorf("lock %s: %w", r.StateDir, err)
	}
	if !stillThere(dir) {
		// The holder before us removed the directory between our two steps.
		dir.Close()
		return nil, fmt.Errorf("lock %s: %w; try again", r.StateDir, ErrLocked)
	}
	return func() {
		if errors.Is(statErr, fs.ErrNotExist) {
			_ = os.Remove(r.StateDir) // refused when it holds the bundle
		}
		dir.Close()
	}, nil
}

// stillThere reports whether the open directory is the one at its path.
func stillThere(dir *os.File) bool {
	held, err := dir.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(dir.Name())
	return err == nil && os.SameFile(held, named)
}
