// Netpold is the enforcer of netpol: it loads the bundle that netpol apply
// left in the state directory, looks at the first packets of each flow, names
// the flow's application and writes the policies' verdict into the kernel.
//
// It never reads policy files and never writes rules, only the elements of sets
// that live on: when it stops, what it decided stays in force, and when it
// starts it takes up where it left.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/netpol/netpol/cmd/netpold/daemon"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := daemon.Main(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "netpold:", err)
		return 1
	}
	return 0
}
