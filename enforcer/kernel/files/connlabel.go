package files

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/netpol/netpol/compiler/artifact"
)

// The lines around netpol's part of a connlabel.conf. Readers of the file (nft,
// iptables, conntrack) skip lines that begin with "#".
const (
	blockBegin = "# BEGIN netpol: made by netpol apply, do not edit"
	blockEnd   = "# END netpol"

	// beginMark and endMark are what is looked for, so that the words behind
	// them may change from version to version.
	beginMark = "# BEGIN netpol"
	endMark   = "# END netpol"

	// madeMark stands at the end of a block's first line, before what netpol added
	// around the block and takes away again with it.
	madeMark    = "; made:"
	madeFile    = " file"
	madeDir     = " directory"
	madeNewline = " newline" // the last line before the block had none

	// maxConnlabel bounds a connlabel.conf: 128 labels take 4 KiB.
	maxConnlabel = 1 << 20
)

var errTooLarge = errors.New("file is larger than any connlabel.conf")

// Connlabel is a connlabel.conf, taken apart.
type Connlabel struct {
	Exists bool
	// Own are the labels of netpol's block, by bit.
	Own []artifact.Label
	// Foreign are the labels of all other lines, in file order.
	Foreign []artifact.Label
	// HasBlock says that there is a block, be it empty.
	HasBlock bool

	before, after []byte // everything outside the block, byte for byte
	made          string // madeFile and so on, joined
	mode          fs.FileMode
}

// ReadConnlabel reads the file at path; one that is not there is empty.
func ReadConnlabel(path string) (Connlabel, error) {
	path, err := resolve(path)
	if err != nil {
		return Connlabel{}, err
	}
	return readRegular(path)
}

// resolve follows a symbolic link that root or this user made (some systems
// link one connlabel.conf to the other) and refuses any other: its owner could
// have netpol, as root, rewrite a file of his choice.
func resolve(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return path, nil // not there, or no link: opening it will say
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid != 0 && int(stat.Uid) != os.Geteuid() {
		return "", fmt.Errorf("read %s: is a symbolic link that another user made", path)
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", fmt.Errorf("follow link: %w", err)
	}
	return target, nil
}

func readRegular(path string) (Connlabel, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return Connlabel{mode: 0o644}, nil
	}
	if err != nil {
		return Connlabel{}, fmt.Errorf("read connlabel file: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return Connlabel{}, fmt.Errorf("read connlabel file: %w", err)
	case !info.Mode().IsRegular():
		return Connlabel{}, fmt.Errorf("read %s: not a regular file", path)
	case info.Size() > maxConnlabel:
		return Connlabel{}, fmt.Errorf("read %s: %w", path, errTooLarge)
	}
	data := make([]byte, info.Size())
	n, err := f.ReadAt(data, 0)
	if n < len(data) {
		return Connlabel{}, fmt.Errorf("read connlabel file: %w", err)
	}
	c := ParseConnlabel(data)
	c.mode = info.Mode().Perm()
	return c, nil
}

// ParseConnlabel takes the content of a connlabel.conf apart. It accepts
// anything: lines it cannot read are foreign and stay. Of several blocks, or
// one that does not end, the first counts, up to the next marker or the end of
// label lines.
func ParseConnlabel(data []byte) Connlabel {
	c := Connlabel{Exists: true, mode: 0o644}
	inBlock := false
	for line := range bytes.Lines(data) {
		text := strings.TrimSpace(string(line))
		label, isLabel := parseLine(text)
		switch {
		case !c.HasBlock && strings.HasPrefix(text, beginMark):
			c.HasBlock, inBlock = true, true
			c.made = madeOf(text)
			continue
		case inBlock && strings.HasPrefix(text, endMark):
			inBlock = false
			continue
		case inBlock && isLabel:
			c.Own = append(c.Own, label)
			continue
		case inBlock:
			// Not a line that netpol writes: the block's end was lost.
			inBlock = false
		}
		if isLabel {
			c.Foreign = append(c.Foreign, label)
		}
		if c.HasBlock {
			c.after = append(c.after, line...)
		} else {
			c.before = append(c.before, line...)
		}
	}
	return c
}

// madeOf is what the first line of a block says netpol made.
func madeOf(line string) string {
	var made string
	_, list, _ := strings.Cut(line, madeMark)
	for _, word := range []string{madeFile, madeDir, madeNewline} {
		if strings.Contains(list, word) {
			made += word
		}
	}
	return made
}

// parseLine reads "bit name"; the bit may be in any base that C knows, as the
// tools read it with strtoul.
func parseLine(text string) (artifact.Label, bool) {
	fields := strings.Fields(text)
	if len(fields) < 2 || strings.HasPrefix(text, "#") {
		return artifact.Label{}, false
	}
	bit, err := strconv.ParseUint(fields[0], 0, 32)
	if err != nil || bit > 127 {
		return artifact.Label{}, false
	}
	return artifact.Label{Name: fields[1], Bit: int(bit)}, true
}

// Clashes are the foreign lines that stand against labels: the same bit under
// another name, or the same name at another bit.
func (c Connlabel) Clashes(labels []artifact.Label) []artifact.Label {
	var clashes []artifact.Label
	for _, f := range c.Foreign {
		if slices.ContainsFunc(labels, func(l artifact.Label) bool {
			return (l.Bit == f.Bit) != (l.Name == f.Name)
		}) {
			clashes = append(clashes, f)
		}
	}
	return clashes
}

// With is the file's content with labels as netpol's block. Foreign bytes stay
// as they are, before and behind it.
func (c Connlabel) With(labels []artifact.Label) []byte {
	var b bytes.Buffer
	b.Write(c.before)
	made := c.made
	if n := len(c.before); n > 0 && c.before[n-1] != '\n' {
		b.WriteByte('\n')
		made += madeNewline
	}
	b.WriteString(blockBegin)
	if made != "" {
		b.WriteString(madeMark + made)
	}
	b.WriteByte('\n')
	for _, l := range sorted(labels) {
		fmt.Fprintf(&b, "%d %s\n", l.Bit, artifact.Word(l.Name))
	}
	b.WriteString(blockEnd + "\n")
	b.Write(c.after)
	return b.Bytes()
}

func sorted(labels []artifact.Label) []artifact.Label {
	out := slices.Clone(labels)
	slices.SortFunc(out, func(a, b artifact.Label) int { return a.Bit - b.Bit })
	return out
}

// WriteBlock makes labels netpol's block of the file at path, creating the
// file and its directory if need be. A file that already says so is not
// touched.
func WriteBlock(path string, labels []artifact.Label) error {
	path, err := resolve(path)
	if err != nil {
		return err
	}
	c, err := readRegular(path)
	if err != nil {
		return err
	}
	if c.HasBlock && bytes.Equal(c.With(labels), c.With(c.Own)) {
		return nil
	}
	if !c.Exists {
		c.made = madeFile
		if err := os.Mkdir(filepath.Dir(path), 0o755); err == nil {
			c.made += madeDir
		} else if !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("create directory of %s: %w", path, err)
		}
	}
	return Atomic(path, c.With(labels), c.mode)
}

// RemoveBlock takes netpol's block out of the file at path, and deletes the
// file, and its directory, if netpol created them and nothing else is there.
func RemoveBlock(path string) error {
	path, err := resolve(path)
	if err != nil {
		return err
	}
	c, err := readRegular(path)
	if err != nil || !c.HasBlock {
		return err
	}
	if rest := c.without(); len(rest) > 0 || !strings.Contains(c.made, madeFile) {
		return Atomic(path, rest, c.mode)
	}
	switch err := os.Remove(path); {
	case errors.Is(err, syscall.EBUSY): // a mounted file can only be emptied
		return Atomic(path, nil, c.mode)
	case err != nil:
		return fmt.Errorf("delete connlabel file: %w", err)
	}
	dir := filepath.Dir(path)
	if strings.Contains(c.made, madeDir) && os.Remove(dir) == nil { // refused unless empty
		dir = filepath.Dir(dir)
	}
	return SyncDir(dir)
}

// without is the file's content as it would be had netpol never been here.
func (c Connlabel) without() []byte {
	before := c.before
	if strings.Contains(c.made, madeNewline) && len(c.after) == 0 {
		before = bytes.TrimSuffix(before, []byte("\n"))
	}
	return slices.Concat(before, c.after)
}
