package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/netpol/netpol/enforcer/kernel/files"
)

// writeFile puts a file in place whole or not at all. What is no regular file
// (/dev/stdout, a pipe) is written to instead of replaced.
func writeFile(name string, data []byte) error {
	if !special(name) {
		return files.Atomic(name, data, modeOf(name))
	}
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// modeOf is the mode of the file that is to be replaced, or that of a new one.
func modeOf(name string) fs.FileMode {
	if info, err := os.Stat(name); err == nil {
		return info.Mode().Perm()
	}
	return 0o644
}

// special reports whether name is something that must not be renamed over.
// Links are followed: /dev/stdout is one.
func special(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.Mode().IsRegular()
}

// outFile is a file of rows in the making. It gets its name with commit, so
// that a run that fails leaves the old file, or none.
type outFile struct {
	*os.File
	path string // empty: the rows go straight to where they belong
}

func newOutFile(path string) (*outFile, error) {
	if special(path) {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, fmt.Errorf("write output: %w", err)
		}
		return &outFile{File: f}, nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.new")
	if err != nil {
		return nil, fmt.Errorf("write output: %w", err)
	}
	return &outFile{File: f, path: path}, nil
}

// commit closes the file and gives it its name.
func (o *outFile) commit() error {
	var err error
	if o.path != "" {
		err = o.Chmod(0o644)
	}
	err = errors.Join(err, o.Close())
	if err == nil && o.path != "" {
		err = os.Rename(o.Name(), o.path)
	}
	if err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

// discard removes what commit did not give a name.
func (o *outFile) discard() {
	if o.path == "" {
		return
	}
	if err := os.Remove(o.Name()); err == nil || errors.Is(err, fs.ErrNotExist) {
		_ = o.Close() // closed already after commit
	}
}
