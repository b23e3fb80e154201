package sink

import (
	"bufio"
	"fmt"
	"io"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// Lines is the only sink of an engine that reads captures: it writes each record as a line.
// Not safe for concurrent use. The caller must Flush.
type Lines struct {
	w   *bufio.Writer
	buf []byte
	err error
}

// NewLines makes one that writes to w.
func NewLines(w io.Writer) *Lines { return &Lines{w: bufio.NewWriterSize(w, 64<<10)} }

// Use does nothing: there is one sink, that of ToldAll.
func (l *Lines) Use([]artifact.Sink) {}

// Offer writes one record. The first error is kept for Flush.
func (l *Lines) Offer(_ int, r record.Record) (taken bool) {
	if l.err == nil {
		l.buf = append(r.AppendJSON(l.buf[:0]), '\n')
		_, l.err = l.w.Write(l.buf)
	}
	return l.err == nil
}

// Losses is always the same: after an error nothing is written.
func (l *Lines) Losses(int) uint64 { return 0 }

// Flush writes what waits and returns the first error there was.
func (l *Lines) Flush() error {
	if l.err == nil {
		l.err = l.w.Flush()
	}
	if l.err != nil {
		return fmt.Errorf("write flows: %w", l.err)
	}
	return nil
}

// TellAll has a bundle's first sink take the ends of all flows, and what aggregates
// tell: where its policies send records is for a live router. The conditions of
// aggregates stand behind those of the sinks, so these stay.
func TellAll(b *artifact.Bundle) {
	if len(b.Sinks) == 0 {
		b.Sinks = make([]artifact.Sink, 1)
	}
	for i := range b.Sinks {
		b.Sinks[i] = artifact.Sink{Name: b.Sinks[i].Name, Kind: artifact.SinkStdout}
	}
	b.Sinks[0].Records = []string{record.KindFlowEnd.String()}
	for i := range b.Aggregates {
		b.Aggregates[i].Sinks = []int{0}
	}
	for i := range b.Program.Effects {
		b.Program.Effects[i].Notify = nil
	}
}
