package router

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestLockIsExclusive(t *testing.T) {
	r := Router{StateDir: filepath.Join(t.TempDir(), "a", "state")}
	unlock, err := r.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Lock(); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v from a second lock, want %v", err, ErrLocked)
	}
	unlock()
	if _, err := os.Stat(r.StateDir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty state directory stays behind: %v", err)
	}
	unlock, err = r.Lock()
	if err != nil {
		t.Fatalf("the lock was not given back: %v", err)
	}
	if err := os.WriteFile(r.BundlePath(), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	unlock()
	if _, err := os.Stat(r.BundlePath()); err != nil {
		t.Errorf("the state directory went with its bundle: %v", err)
	}
}
