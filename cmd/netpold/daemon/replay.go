package daemon

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/dissect/all"
	"github.com/netpol/netpol/enforcer/kernel/capture"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// replay runs captures through the engine and prints the record of each flow's
// end as a line of JSON, and those of the bundle's aggregates. Captures that cannot be read to their end do not keep
// the others from being read; they are the error in the end.
func replay(ctx context.Context, cfg config, log *slog.Logger, out io.Writer) error {
	bundle, err := readBundle(cfg.bundlePath())
	if err != nil {
		return err
	}
	printAll(bundle)
	source := capture.NewFiles(cfg.files)
	defer source.Close()
	lines := &recordLines{w: bufio.NewWriterSize(out, 64<<10)}
	engine, err := enforcer.New(enforcer.Config{
		Source: source, Outlets: lines, Dissectors: all.Dissectors(), Bundle: bundle,
		MaxFlows: cfg.maxFlows, Interval: cfg.interval, Logger: log,
	})
	if err != nil {
		return err
	}
	err = engine.Run(ctx)
	if ctx.Err() != nil {
		err = errors.Join(err, errors.New("interrupted"))
	}
	if flushErr := lines.flush(); flushErr != nil {
		err = errors.Join(err, fmt.Errorf("write flows: %w", flushErr))
	}
	stats := engine.Stats()
	log.Info("replay done", "captures", len(cfg.files), "packets", stats.Packets, "flows", stats.FlowsSeen,
		"unreadable", stats.FileErrors)
	return err
}

// printAll has a bundle's first sink take the ends of all flows, and what aggregates
// tell: where the policies send records is for a live router. The conditions of
// aggregates stand behind those of the sinks, so these stay.
func printAll(b *artifact.Bundle) {
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

// recordLines writes each record as a line. The first error stays.
type recordLines struct {
	w   *bufio.Writer
	buf []byte
	err error
}

// Use does nothing: one sink is told.
func (l *recordLines) Use([]artifact.Sink) {}

// Offer writes one record.
func (l *recordLines) Offer(_ int, r record.Record) {
	if l.err == nil {
		l.buf = append(r.AppendJSON(l.buf[:0]), '\n')
		_, l.err = l.w.Write(l.buf)
	}
}

func (l *recordLines) flush() error {
	if l.err != nil {
		return l.err
	}
	return l.w.Flush()
}
