package sink

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

const (
	fileMode = 0o640 // records say who talks to whom
	dirMode  = 0o750
)

// stream writes to something that is open already.
type stream struct {
	runner *runner
	w      io.Writer
	packer packer
}

func openStdout(r *runner) (target, error) {
	p, err := newPacker(r.sink.Compression())
	if err != nil {
		return nil, err
	}
	return stream{r, r.config.Stdout, p}, nil
}

func (s stream) write(lines []byte) (int, error) {
	out, err := packed(s.packer, lines)
	if err != nil {
		return 0, err
	}
	n, err := s.w.Write(out)
	if s.packer != nil {
		return s.runner.unlessCut(lines, n == len(out)), err
	}
	return s.runner.wholeOf(lines, n), err
}

func (s stream) close() error { return nil }

// file is a log file that is begun anew when it is large or old. The earlier
// ones are path.1, the newest, to path.N.
type file struct {
	runner *runner
	sink   *artifact.Sink
	packer packer
	f      *os.File
	info   fs.FileInfo
	size   int64
	begun  time.Time
}

func openFile(r *runner) (target, error) {
	if err := os.Mkdir(filepath.Dir(r.sink.Path), dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	p, err := newPacker(r.sink.Compression())
	if err != nil {
		return nil, err
	}
	f := &file{runner: r, sink: &r.sink, packer: p}
	if err := f.open(); err != nil {
		return nil, err
	}
	return f, nil
}

// open opens the file, or makes it.
func (f *file) open() error {
	opened, err := os.OpenFile(f.sink.Path, os.O_RDWR|os.O_APPEND|os.O_CREATE, fileMode)
	if err != nil {
		return err
	}
	info, err := opened.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", f.sink.Path)
	}
	if err == nil && info.Size() == 0 {
		err = opened.Chmod(fileMode) // whatever the umask
	}
	if err != nil {
		opened.Close()
		return err
	}
	f.f, f.info, f.size, f.begun = opened, info, info.Size(), f.beginning(opened)
	return nil
}

// beginning is when a file was begun: the time of its first record.
func (f *file) beginning(opened *os.File) time.Time {
	var head [256]byte
	n := 0
	if in, err := unpacked(f.sink.Compression(), io.NewSectionReader(opened, 0, math.MaxInt64)); err == nil {
		n, _ = io.ReadFull(in, head[:])
	}
	if _, at := f.runner.head(head[:n]); !at.IsZero() {
		return at
	}
	return time.Now()
}

// write appends lines, to a new file if it is time for one, or if somebody has
// moved the old one away.
func (f *file) write(lines []byte) (int, error) {
	if now, err := os.Stat(f.sink.Path); err != nil || !os.SameFile(now, f.info) {
		f.f.Close()
		if err := f.open(); err != nil {
			return 0, err
		}
	}
	old := f.sink.RotateAge > 0 && time.Since(f.begun) >= f.sink.RotateAge
	out, err := packed(f.packer, lines)
	if err != nil {
		return 0, err
	}
	large := f.sink.RotateSize > 0 && f.size+int64(len(out)) > f.sink.RotateSize
	if f.size > 0 && (old || large) {
		if err := f.rotate(); err != nil {
			return 0, err
		}
	}
	n, err := f.f.Write(out)
	whole := n
	switch {
	case f.packer == nil:
		whole = f.runner.wholeOf(out, n)
	case n < len(out):
		whole = 0
	}
	if whole < n { // a full disk must not leave half a record before the next one
		_ = f.f.Truncate(f.size + int64(whole))
	}
	f.size += int64(whole)
	if f.packer != nil {
		return f.runner.unlessCut(lines, whole > 0), err
	}
	return whole, err
}

// rotate begins a new file.
func (f *file) rotate() error {
	if err := f.f.Close(); err != nil {
		return err
	}
	name := func(i int) string {
		if i == 0 {
			return f.sink.Path
		}
		return f.sink.Path + "." + strconv.Itoa(i)
	}
	if err := os.Remove(name(f.sink.Keep)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for i := f.sink.Keep - 1; i >= 0; i-- {
		if err := os.Rename(name(i), name(i+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return f.open()
}

func (f *file) close() error { return f.f.Close() }
