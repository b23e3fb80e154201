package lang

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/netpol/netpol/lang/diag"
)

// tree is the policy directory and what is below it. Names are paths from it,
// with slashes; nothing outside of it has one.
type tree interface {
	// list names the files of a directory.
	list(dir string) ([]string, error)
	// read returns a file's bytes, at most one more than limit.
	read(name string, limit int64) ([]byte, error)
}

// mapTree is a tree in memory: what Parse was given.
type mapTree map[string][]byte

func (t mapTree) list(dir string) ([]string, error) {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(t)) {
		if path.Dir(name) == dir {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return nil, fs.ErrNotExist
	}
	return out, nil
}

func (t mapTree) read(name string, _ int64) ([]byte, error) {
	if src, ok := t[name]; ok {
		return src, nil
	}
	return nil, fs.ErrNotExist
}

// dirTree is a directory on disk, which its root lets nobody leave.
type dirTree struct{ root *os.Root }

func (t dirTree) list(dir string) ([]string, error) {
	if err := t.plain(dir); err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(t.root.FS(), dir)
	var out []string
	for _, e := range entries {
		out = append(out, path.Join(dir, e.Name()))
	}
	return out, err
}

func (t dirTree) read(name string, limit int64) ([]byte, error) {
	if err := t.plain(path.Dir(name)); err != nil {
		return nil, err
	}
	return readRegular(t.root, name, limit)
}

// errLink says that a directory is reached over a symbolic link, which is
// refused for the reason that it is for files.
var errLink = errors.New("it is a symbolic link or no directory")

// plain reports whether each step to a directory is one.
func (t dirTree) plain(dir string) error {
	if dir == "." {
		return nil
	}
	for i, c := range dir + "/" {
		if c != '/' {
			continue
		}
		info, err := t.root.Lstat(dir[:i])
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return errLink
		}
	}
	return nil
}

// readFile reads a file that another names, and keeps it for diagnostics.
// Files count towards MaxDirBytes and bring their share of the budget.
func (d *decoder) readFile(name string, at diag.Range) ([]byte, bool) {
	if src, ok := d.out.sources[name]; ok {
		return src, true
	}
	src, err := d.tree.read(name, MaxFileBytes)
	if err != nil {
		why := readDiagnostic(name, err)
		if errors.Is(err, fs.ErrNotExist) {
			why.Detail = fmt.Sprintf("There is no file %s in the policy directory.", name)
		}
		why.Subject = at
		d.diags.Add(why)
		return nil, false
	}
	if len(src) > MaxFileBytes {
		d.diags.Add(diag.New(diag.TooLarge, at, fmt.Sprintf("%s is larger than %d KiB. Split it into several files.", name, MaxFileBytes>>10)))
		return nil, false
	}
	total := len(src)
	for _, other := range d.out.sources {
		total += len(other)
	}
	if total > MaxDirBytes {
		d.diags.Add(diag.New(diag.TooLarge, at, fmt.Sprintf("With %s, the files of the set are together larger than %d MiB.", name, MaxDirBytes>>20)))
		return nil, false
	}
	d.out.sources[name] = src
	if d.work >= 0 {
		d.work += workPerByte * len(src)
	}
	return src, true
}

// inside is the path of a file or directory that a file of the set names, or a
// reason why it cannot be named. base is the directory of the file that does.
func inside(base, named string) (name, why string) {
	switch {
	case named == "":
		return "", "it is empty"
	case path.IsAbs(named) || strings.ContainsRune(named, '\\') || strings.ContainsRune(named, 0):
		return "", "it is a path from the file's own directory, with slashes, such as ./kids.txt"
	}
	name = path.Join(base, named)
	if name == ".." || strings.HasPrefix(name, "../") {
		return "", "it leads out of the policy directory, and nothing is read from there"
	}
	for step := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(step, ".") && step != "." {
			return "", "hidden files and directories are not read"
		}
	}
	return name, ""
}
