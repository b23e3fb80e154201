// Netpold is the enforcer of netpol: it loads the bundle that netpol apply
// left in the state directory, looks at the first packets of each flow, names
// the flow's application and writes the policies' verdict into the kernel.
//
// It never reads policy files and never writes nftables: when it stops, what
// it decided stays in force, and when it starts it takes up where it left.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "netpold:", explain(err))
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	cfg, err := parseConfig(args, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if cfg.version {
		fmt.Println("netpold", version())
		return nil
	}
	limitMemory(cfg)
	log := newLogger(cfg, os.Stderr)
	if cfg.replay {
		return replay(ctx, cfg, log, os.Stdout)
	}
	return newDaemon(cfg, log).run(ctx)
}

// explain adds what to do about faults that an operator meets first.
func explain(err error) error {
	switch {
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w (netpold needs CAP_NET_ADMIN in the router's network namespace, "+
			"and must be able to write to --run-dir)", err)
	case errors.Is(err, syscall.EBUSY):
		return fmt.Errorf("%w (another program, perhaps another netpold, reads this NFLOG group in this "+
			"network namespace: stop it, or set log_group in the policy's netpol block)", err)
	}
	return err
}
