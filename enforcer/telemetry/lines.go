package telemetry

import (
	"bufio"
	"fmt"
	"io"
)

// Format is how Lines writes records.
type Format uint8

// Formats.
const (
	JSONL Format = iota
	Text
)

// Lines writes each record as a line. Not safe for concurrent use: one engine
// owns it. Caller must Flush.
type Lines struct {
	w      *bufio.Writer
	format Format
	buf    []byte
	err    error
}

// NewLines makes a sink that writes to w.
func NewLines(w io.Writer, format Format) *Lines {
	return &Lines{w: bufio.NewWriterSize(w, 64<<10), format: format}
}

// Record writes one record. The first error is kept for Flush.
func (l *Lines) Record(f *Flow) {
	if l.err != nil {
		return
	}
	switch l.format {
	case JSONL:
		l.buf = f.AppendJSON(l.buf[:0])
	case Text:
		l.buf = f.AppendText(l.buf[:0])
	}
	l.buf = append(l.buf, '\n')
	_, l.err = l.w.Write(l.buf)
}

// Flush writes out what is buffered and returns the first error there was.
func (l *Lines) Flush() error {
	if l.err == nil {
		l.err = l.w.Flush()
	}
	if l.err != nil {
		return fmt.Errorf("write flow records: %w", l.err)
	}
	return nil
}
