package capture

import (
	"errors"
	"io"
)

// readSlab is how much is asked of the system at a time. It stays in the
// second-level cache with what is made of it: 128 to 256 KiB took 42-50 ns a
// packet, mmap 58-66 (measured 2024 on nDPI's captures), and a file that shrinks
// under a mapping kills its reader.
const readSlab = 128 << 10

// maxEmptyReads is how often a reader may give neither bytes nor an error, as
// io.Reader discourages, before it counts as broken.
const maxEmptyReads = 100

// slab hands out the bytes of a file without copying them. bufio.Reader does as
// well, in two calls each of which looks at its errors: a packet took some 15 ns
// more that way (2026-11).
type slab struct {
	from    io.Reader
	buf     []byte
	at, end int   // of what has been read and not taken
	read    int64 // bytes of all files
	err     error // of the last read
}

// reset goes on with another file.
func (s *slab) reset(from io.Reader) {
	if s.buf == nil {
		s.buf = make([]byte, readSlab)
	}
	s.from, s.at, s.end, s.err = from, 0, 0, nil
}

// take gives the next n bytes, which are valid until the next call. n must not be
// above ngMaxBlock. The file's end within them is a truncation, before them io.EOF.
func (s *slab) take(n int) ([]byte, error) {
	if s.end-s.at < n {
		if err := s.fill(n); err != nil {
			return nil, err
		}
	}
	b := s.buf[s.at : s.at+n : s.at+n]
	s.at += n
	return b, nil
}

// rest is what has been read and not taken.
func (s *slab) rest() []byte { return s.buf[s.at:s.end] }

// peek is take, and leaves the bytes where they are.
func (s *slab) peek(n int) ([]byte, error) {
	b, err := s.take(n)
	s.at -= len(b)
	return b, err
}

// takeRest is take in the middle of a packet, where the file must not end.
func (s *slab) takeRest(n int) ([]byte, error) {
	b, err := s.take(n)
	if errors.Is(err, io.EOF) {
		return nil, errTruncated
	}
	return b, err
}

// skip passes over bytes that the file must have.
func (s *slab) skip(n int64) error {
	for n > 0 {
		b, err := s.takeRest(int(min(n, readSlab)))
		if err != nil {
			return err
		}
		n -= int64(len(b))
	}
	return nil
}

// fill reads until n bytes are there.
func (s *slab) fill(n int) error {
	if n > len(s.buf) {
		s.buf = append(s.buf, make([]byte, ngMaxBlock-len(s.buf))...)
	}
	s.end = copy(s.buf, s.buf[s.at:s.end])
	s.at = 0
	for empty := 0; s.end < n; {
		if s.err != nil {
			return s.ended()
		}
		var got int
		got, s.err = s.from.Read(s.buf[s.end:])
		s.end += got
		s.read += int64(got)
		if got > 0 {
			empty = 0
		} else if empty++; empty == maxEmptyReads {
			s.err = io.ErrNoProgress
		}
	}
	return nil
}

// ended says how the file ended before what was asked for.
func (s *slab) ended() error {
	switch {
	case !errors.Is(s.err, io.EOF):
		return s.err
	case s.end > 0:
		return errTruncated
	}
	return io.EOF
}
