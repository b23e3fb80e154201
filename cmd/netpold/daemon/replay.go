package daemon

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/dissect/all"
	"github.com/netpol/netpol/enforcer/kernel/capture"
	"github.com/netpol/netpol/enforcer/telemetry/sink"
)

// replay runs captures through the engine and prints the record of each flow's
// end as a line of JSON, and those of the bundle's aggregates. Captures that cannot be read to their end do not keep
// the others from being read; they are the error in the end.
func replay(ctx context.Context, cfg config, log *slog.Logger, out io.Writer) error {
	bundle, err := readBundle(cfg.bundlePath())
	if err != nil {
		return err
	}
	sink.TellAll(bundle)
	source := capture.NewFiles(cfg.files)
	defer source.Close()
	lines := sink.NewLines(out)
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
	err = errors.Join(err, lines.Flush())
	stats := engine.Stats()
	log.Info("replay done", "captures", len(cfg.files), "packets", stats.Packets, "flows", stats.FlowsSeen,
		"unreadable", stats.FileErrors)
	return err
}
