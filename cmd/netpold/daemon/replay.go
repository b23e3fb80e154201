package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/dissect/all"
	"github.com/netpol/netpol/enforcer/kernel/capture"
	"github.com/netpol/netpol/enforcer/telemetry"
)

// replay runs captures through the engine and prints a line of JSON for each
// flow. Captures that cannot be read to their end do not keep the others from
// being read; they are the error in the end.
func replay(ctx context.Context, cfg config, log *slog.Logger, out io.Writer) error {
	bundle, err := readBundle(cfg.bundlePath())
	if err != nil {
		return err
	}
	source := capture.NewFiles(cfg.files)
	defer source.Close()
	lines := telemetry.NewLines(out, telemetry.JSONL)
	engine, err := enforcer.New(enforcer.Config{
		Source: source, Recorder: lines, Dissectors: all.Dissectors(), Bundle: bundle,
		MaxFlows: cfg.maxFlows, Interval: cfg.interval, Logger: log,
	})
	if err != nil {
		return err
	}
	err = engine.Run(ctx)
	if ctx.Err() != nil {
		err = errors.Join(err, errors.New("interrupted"))
	}
	if flushErr := lines.Flush(); flushErr != nil {
		err = errors.Join(err, fmt.Errorf("write flows: %w", flushErr))
	}
	stats := engine.Stats()
	log.Info("replay done", "captures", len(cfg.files), "packets", stats.Packets, "flows", stats.FlowsSeen,
		"unreadable", stats.FileErrors)
	return err
}
