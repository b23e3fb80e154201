package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/dissect/all"
	"github.com/netpol/netpol/enforcer/kernel/capture"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/enforcer/telemetry/sink"
)

// captureRun says which captures are read, and how.
type captureRun struct {
	files   []string
	unwrap  packet.Tunnels
	records *sink.Lines // nil: none are printed
	speed   float64     // times that of the recording; 0 is as fast as possible
}

// runCaptures runs the files through an engine and prints the summary. whole
// is how many were read to their end. explain, if set, is called with the
// account of each flow.
func (t *tool) runCaptures(ctx context.Context, run captureRun, bundle *artifact.Bundle, rows *rowCounter, explain func(telemetry.Why)) (whole int, _ error) {
	source := newMeteredFiles(run.files, view.NewMeter(t.Err, isTerminal(t.Err) && !rows.terminal))
	defer source.Close()
	var paced enforcer.Source = source
	if run.speed > 0 {
		paced = &pace{Source: source, ctx: ctx, speed: run.speed}
	}
	config := enforcer.Config{
		Source: paced, Recorder: rows, Dissectors: all.Dissectors(), Bundle: bundle, Explain: explain, Unwrap: run.unwrap,
	}
	if run.records != nil {
		config.Outlets = run.records
	}
	engine, err := enforcer.New(config)
	if err != nil {
		return 0, err
	}
	started := time.Now()
	err = errors.Join(engine.Run(ctx), rows.flush())
	if run.records != nil {
		err = errors.Join(err, run.records.Flush())
	}
	source.meter.Clear()
	stats := engine.Stats()
	whole = len(run.files) - int(stats.FileErrors)
	if ctx.Err() != nil {
		whole, err = 0, errors.Join(err, errors.New("interrupted"))
	}
	summary := view.Replay{
		Files: len(run.files), FileErrors: int(stats.FileErrors), Packets: stats.Packets, Bytes: stats.Bytes,
		NotIP: stats.NotIP, Broken: stats.Short + stats.BadHeader, Flows: rows.flows, Named: rows.named,
		Matched: rows.matched, Elapsed: time.Since(started),
	}
	return whole, errors.Join(err, summary.Text(t.Err))
}

// rowCounter is the engine's recorder: it prints rows and counts them.
type rowCounter struct {
	lines                 *telemetry.Lines // nil: count only
	terminal              bool             // rows go to a terminal, which leaves no line for a meter
	flows, named, matched int
}

// Record is called by the engine for each flow that ended.
func (r *rowCounter) Record(f *telemetry.Flow) {
	r.flows++
	if f.Application != "" {
		r.named++
	}
	if len(f.Policies) > 0 {
		r.matched++
	}
	if r.lines != nil {
		r.lines.Record(f)
	}
}

func (r *rowCounter) flush() error {
	if r.lines == nil {
		return nil
	}
	if err := r.lines.Flush(); err != nil {
		return fmt.Errorf("write flows: %w", err)
	}
	return nil
}

// meteredFiles is the capture source, with a meter of how much was read.
type meteredFiles struct {
	*capture.Files
	meter   *view.Meter
	total   int64 // bytes; 0 when not known
	packets uint64
}

// meterPackets is how many packets pass between two looks at the clock.
const meterPackets = 4096

func newMeteredFiles(names []string, meter *view.Meter) *meteredFiles {
	m := &meteredFiles{Files: capture.NewFiles(names), meter: meter}
	for _, name := range names {
		if info, err := os.Stat(name); err == nil {
			m.total += info.Size()
		}
	}
	return m
}

// NextBatch reads the next packets.
func (m *meteredFiles) NextBatch(raws []packet.Raw) (int, error) {
	n, err := m.Files.NextBatch(raws)
	before := m.packets / meterPackets
	if m.packets += uint64(n); m.packets/meterPackets != before {
		m.meter.Show(view.ReplayProgress(m.packets, m.BytesRead(), m.total))
	}
	return n, err
}
