package lang

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/netpol/netpol/lang/diag"
)

// Names of the files that make up a policy set.
const (
	// PolicySuffix ends the name of every policy file.
	PolicySuffix = ".netpol.hcl"
	// LockName is the lock file's name.
	LockName = "netpol.lock.hcl"
)

// errNotRegular says that a name exists but is no plain file.
var errNotRegular = errors.New("not a regular file")

// readDir reads the policy files, the variable files and the lock file of a
// directory, keyed by file name. Subdirectories are not entered and hidden files
// are left out. The caller closes the directory, which is nil if it cannot be
// opened.
func readDir(dir string, diags *diag.List) (map[string][]byte, *os.Root) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		diags.Add(diag.New(diag.UnreadableFile, diag.Range{}, fmt.Sprintf("The policy directory cannot be opened: %v.", err)))
		return nil, nil
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		diags.Add(diag.New(diag.UnreadableFile, diag.Range{}, fmt.Sprintf("The policy directory %s cannot be listed: %v.", dir, err)))
		return nil, root
	}
	files, found, total := map[string][]byte{}, false, 0
	for _, e := range entries {
		name := e.Name()
		isPolicy := strings.HasSuffix(name, PolicySuffix)
		if strings.HasPrefix(name, ".") || !isPolicy && name != LockName && !strings.HasSuffix(name, VarSuffix) {
			continue
		}
		found = found || isPolicy
		src, err := readRegular(root, name, MaxFileBytes)
		if err != nil {
			diags.Add(readDiagnostic(name, err))
			continue
		}
		if total += len(src); total > MaxDirBytes {
			diags.Add(diag.New(diag.TooLarge, diag.Range{}, fmt.Sprintf("The policy files of %s are together larger than %d MiB.", dir, MaxDirBytes>>20)))
			break
		}
		files[name] = src
	}
	if !found {
		diags.Add(diag.New(diag.NoPolicyFiles, diag.Range{}, fmt.Sprintf("The directory %s holds no file whose name ends in %s.", dir, PolicySuffix)))
	}
	return files, root
}

// readRegular reads a plain file of the directory. A symbolic link is refused
// because it can lead out of the directory, and so are FIFOs and devices,
// because reading them can block for ever. O_NONBLOCK keeps the open itself
// from waiting should a FIFO take the file's place after the Lstat.
//
// It reads at most limit bytes and one: that is enough to know that there are more.
func readRegular(root *os.Root, name string, limit int64) ([]byte, error) {
	before, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, errNotRegular
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	after, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !after.Mode().IsRegular() || !os.SameFile(before, after) {
		return nil, errNotRegular
	}
	return io.ReadAll(io.LimitReader(f, limit+1))
}

func readDiagnostic(name string, err error) diag.Diagnostic {
	at := fileRange(name)
	if errors.Is(err, errNotRegular) {
		return diag.New(diag.NotRegularFile, at, fmt.Sprintf("%s is a symbolic link, directory, FIFO or device. Only plain files are read; copy the file's text here.", name))
	}
	return diag.New(diag.UnreadableFile, at, fmt.Sprintf("%s cannot be read: %v.", name, err))
}

// fileRange is the start of a file, for diagnostics about the whole of it.
func fileRange(name string) diag.Range {
	return diag.Range{Filename: name, Start: toPos(startPos), End: toPos(startPos)}
}
