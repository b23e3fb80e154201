// Netpol compiles traffic policies and makes Linux routers follow them.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/netpol/netpol/cmd/netpol/internal/cli"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return cli.Run(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
}
