package daemon

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/netpol/netpol/cmd/internal/buildinfo"
	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/kernel/capture"
	"github.com/netpol/netpol/enforcer/telemetry/sink"
)

// Main runs netpold with a command line (without the program's name) until ctx
// ends or what it was asked for is done. Errors say what to do about them.
func Main(ctx context.Context, args []string) error {
	cfg, err := parseConfig(args, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if cfg.version {
		fmt.Println("netpold", buildinfo.Version())
		fmt.Println("sinks:", strings.Join(sink.Kinds(), ", ")+"; with", strings.Join(sink.Extras(), ", "))
		return nil
	}
	log := newLogger(cfg, os.Stderr)
	if cfg.replay {
		enforcer.CollectLate(cfg.maxFlows)
		return explain(replay(ctx, cfg, log, os.Stdout))
	}
	limitMemory(cfg)
	return explain(newDaemon(cfg, log).run(ctx))
}

// explain adds what to do about faults that an operator meets first.
func explain(err error) error {
	switch {
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w (netpold needs CAP_NET_ADMIN in the router's network namespace, "+
			"and must be able to write to --run-dir)", err)
	case errors.Is(err, capture.ErrGroupBusy):
		return fmt.Errorf("%w: stop it, or set log_group in the policy's netpol block", err)
	case errors.Is(err, capture.ErrQueueBusy):
		return fmt.Errorf("%w: stop it, or set hold_queue in the policy's netpol block", err)
	}
	return err
}
