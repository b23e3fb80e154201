package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

const (
	// SyncEvery is how long what was appended may stay in the kernel's cache.
	SyncEvery = 5 * time.Second
	// segmentsMin is into how many segments a full spool is divided at least: one of
	// them is lost at a time.
	segmentsMin = 16
	// segmentMost bounds a segment, and so what is read twice after a death.
	segmentMost = 4 << 20
	// middle is the first segment's number, with room for others before it.
	middle = uint64(1) << 32

	dirMode, fileMode = 0o750, 0o600
)

// ErrInUse says that another Spool has the directory.
var ErrInUse = errors.New("the spool is in use")

var errClosed = errors.New("the spool is closed")

// Config is what a Spool works with.
type Config struct {
	Dir string
	// MaxBytes bounds the files together.
	MaxBytes int64
	// Format is what the records are written in, at most eight letters. Records of
	// another format are dropped.
	Format string
	Log    *slog.Logger // default: discard
}

// Spool is an open spool. Safe for concurrent use; one goroutine reads.
type Spool struct {
	config Config
	lock   *os.File

	mu       sync.Mutex // guards what follows
	segments []*segment // in order; what is appended goes to the last one
	bytes    int64
	shed     uint64 // records that made room for others
	dirty    bool
	synced   time.Time
	writing  []byte // scratch, as is
	reading  []byte
	closed   bool
}

// Stats is how full a spool is.
type Stats struct {
	Bytes   int64
	Records uint64 // that wait
	Shed    uint64 // that made room for others since Open
}

// Open takes a directory, and makes it if need be. What is in it waits to be read,
// up to the first damage of each file, which is logged. The caller must Close it.
func Open(c Config) (*Spool, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(c.Dir, dirMode); err != nil {
		return nil, err
	}
	lock, err := lockFile(filepath.Join(c.Dir, "lock"))
	if err != nil {
		return nil, err
	}
	s := &Spool{config: c, lock: lock, synced: time.Now()}
	if err := s.load(); err != nil {
		s.lock.Close()
		return nil, err
	}
	return s, nil
}

// load finds the segments of an earlier program.
func (s *Spool) load() error {
	names, err := filepath.Glob(filepath.Join(s.config.Dir, "*"+suffix))
	if err != nil {
		return err
	}
	slices.Sort(names) // their numbers are of equal length
	for _, name := range names {
		g, err := loadSegment(name, s.config.Format)
		if err != nil {
			s.config.Log.Warn("spool: a file is of no use and removed", "file", name, "error", err)
			if err := os.Remove(name); err != nil {
				return err
			}
			continue
		}
		if g.damaged > 0 {
			s.config.Log.Warn("spool: a file is damaged, what follows in it is skipped", "file", name, "bytes", g.damaged)
		}
		s.segments = append(s.segments, g)
		s.bytes += g.size
	}
	return nil
}

// Append adds records after all others. The oldest ones go if there is no room.
func (s *Spool) Append(records []byte, count int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	if err := s.room(int64(len(records)) + frameHead + segmentHead); err != nil {
		return err
	}
	last, err := s.last()
	if err != nil {
		return err
	}
	before := last.size
	s.writing, err = last.append(s.writing, records, count)
	s.bytes += last.size - before
	s.dirty = true
	if err != nil {
		return fmt.Errorf("write spool: %w", err)
	}
	return nil
}

// PutBack adds records before all others.
func (s *Spool) PutBack(records []byte, count int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	number := middle
	if len(s.segments) > 0 {
		number = s.segments[0].number - 1
	}
	g, err := newSegment(s.config.Dir, number, s.config.Format)
	if err != nil {
		return err
	}
	if s.writing, err = g.append(s.writing, records, count); err != nil {
		return errors.Join(err, g.remove())
	}
	s.segments = slices.Insert(s.segments, 0, g)
	s.bytes += g.size
	s.dirty = true
	return nil
}

// last is the segment that is appended to, a new one if there is none or it is
// full.
func (s *Spool) last() (*segment, error) {
	number := middle
	if n := len(s.segments); n > 0 {
		last := s.segments[n-1]
		if last.size < min(segmentMost, s.config.MaxBytes/segmentsMin) && last.damaged == 0 {
			return last, nil
		}
		number = last.number + 1
		if err := last.seal(); err != nil {
			return nil, err
		}
	}
	g, err := newSegment(s.config.Dir, number, s.config.Format)
	if err != nil {
		return nil, err
	}
	s.segments = append(s.segments, g)
	s.bytes += g.size
	return g, nil
}

// room removes the oldest segments until there is room for so many bytes.
func (s *Spool) room(bytes int64) error {
	for len(s.segments) > 0 && s.bytes+bytes > s.config.MaxBytes {
		g := s.segments[0]
		s.shed += g.records - g.done
		if err := s.drop(g); err != nil {
			return err
		}
	}
	return nil
}

// drop removes a segment.
func (s *Spool) drop(g *segment) error {
	s.segments = slices.DeleteFunc(s.segments, func(other *segment) bool { return other == g })
	s.bytes -= g.size
	g.gone = true
	if err := g.remove(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Batch is records that were appended together.
type Batch struct {
	Records []byte // valid until the next call of Next
	in      *segment
	end     int64
	count   uint64
}

// Next is the oldest batch, the same one until Done; false when nothing waits. A
// batch that has become unreadable is skipped with the rest of its file, and
// logged.
func (s *Spool) Next() (Batch, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.segments) > 0 && !s.closed {
		g := s.segments[0]
		if g.read < g.size {
			records, count, err := g.frame(g.read, &s.reading)
			if err == nil {
				return Batch{Records: records, in: g, end: g.read + frameHead + int64(len(records)), count: uint64(count)}, true
			}
			s.config.Log.Warn("spool: a file is damaged, what follows in it is skipped", "file", g.name, "bytes", g.size-g.read, "error", err)
		}
		if err := s.drop(g); err != nil {
			s.config.Log.Warn("spool: a file cannot be removed", "file", g.name, "error", err)
		}
	}
	return Batch{}, false
}

// Done removes a batch that Next gave.
func (s *Spool) Done(b Batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.in == nil || b.in.gone || s.closed {
		return
	}
	b.in.read, b.in.done = b.end, b.in.done+b.count
	if b.in.read < b.in.size {
		return
	}
	if err := s.drop(b.in); err != nil {
		s.config.Log.Warn("spool: a file cannot be removed", "file", b.in.name, "error", err)
	}
}

// Empty says that nothing waits.
func (s *Spool) Empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.segments) == 0
}

// Stats is how full the spool is.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Stats{Bytes: s.bytes, Shed: s.shed}
	for _, g := range s.segments {
		out.Records += g.records - g.done
	}
	return out
}

// Sync brings to the disk what was appended, at most every SyncEvery.
func (s *Spool) Sync() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.dirty || s.closed || time.Since(s.synced) < SyncEvery {
		return nil
	}
	return s.sync()
}

func (s *Spool) sync() error {
	s.dirty, s.synced = false, time.Now()
	var errs []error
	for _, g := range s.segments {
		errs = append(errs, g.sync())
	}
	return errors.Join(errs...)
}

// Close brings everything to the disk, where it waits for the next Open.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	err := s.sync()
	for _, g := range s.segments {
		err = errors.Join(err, g.close())
	}
	return errors.Join(err, s.lock.Close())
}
