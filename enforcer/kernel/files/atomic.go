package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Atomic writes path so that readers, and whoever looks after a power cut,
// find the old or the new content and nothing between: a new file beside it,
// synced, renamed over it, the directory synced.
//
// A file that is mounted (containers and namespaces do that to files of /etc)
// cannot be renamed over; it is then written in place, which a reader may catch
// half done. A symbolic link is never followed: it is replaced by the file.
func Atomic(path string, data []byte, mode fs.FileMode) error {
	staged, err := Stage(path, data, mode)
	if err != nil {
		return err
	}
	return staged.Commit()
}

// Owner is whom a file is to belong to.
type Owner struct{ UID, GID int }

// Staged is a written and synced file that waits for its name.
type Staged struct {
	path, temp string
	data       []byte
	mode       fs.FileMode
	owner      *Owner // nil: this process
}

// Stage writes data beside path. The caller must Commit or Discard.
func Stage(path string, data []byte, mode fs.FileMode) (*Staged, error) {
	return stage(path, data, mode, nil)
}

// StageAs is Stage for a file that belongs to somebody else than this process,
// which must be root. Nobody can reach the file before it is theirs.
func StageAs(path string, data []byte, mode fs.FileMode, owner Owner) (*Staged, error) {
	return stage(path, data, mode, &owner)
}

func stage(path string, data []byte, mode fs.FileMode, owner *Owner) (*Staged, error) {
	// CreateTemp opens with O_EXCL and mode 0600: nobody can have prepared the
	// name, as a link or otherwise.
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.new")
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	s := &Staged{path: path, temp: f.Name(), data: data, mode: mode, owner: owner}
	if err := s.fill(f); err != nil {
		s.Discard()
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	return s, nil
}

func (s *Staged) fill(f *os.File) error {
	_, err := f.Write(s.data)
	if err == nil {
		err = f.Chmod(s.mode)
	}
	if err == nil && s.owner != nil {
		err = f.Chown(s.owner.UID, s.owner.GID)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Commit gives the file its name.
func (s *Staged) Commit() error {
	err := os.Rename(s.temp, s.path)
	switch {
	case err == nil:
		return SyncDir(filepath.Dir(s.path))
	case errors.Is(err, syscall.EBUSY), errors.Is(err, syscall.EXDEV):
		s.Discard()
		return inPlace(s.path, s.data)
	}
	s.Discard()
	return fmt.Errorf("write %s: %w", s.path, err)
}

// Discard removes the staged file; the one at path is as it was.
func (s *Staged) Discard() { _ = os.Remove(s.temp) }

// inPlace overwrites a mounted file. What is at path is then a mount point,
// which no symbolic link can be; O_NOFOLLOW says so to the kernel.
func inPlace(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return fmt.Errorf("write %s in place: %w", path, err)
	}
	_, err = f.WriteAt(data, 0)
	if err == nil {
		err = f.Truncate(int64(len(data)))
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s in place: %w", path, err)
	}
	return nil
}

// SyncDir makes a rename or a removal last through a power cut.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) { // file systems that cannot sync a directory
		err = nil
	}
	if err = errors.Join(err, d.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}
