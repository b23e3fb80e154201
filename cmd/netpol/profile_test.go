package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"github.com/netpol/netpol/cmd/netpold/daemon"
)

// profiled says that measurements run this test binary as netpold, which writes a
// profile of its processor time to the file $NETPOL_PROFILE when it stops.
func profiled() bool { return os.Getenv("NETPOL_PROFILE") != "" }

// runProfiled is netpold with a profile.
func runProfiled() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	f, err := os.Create(os.Getenv("NETPOL_PROFILE"))
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	if err == nil {
		err = daemon.Main(ctx, os.Args[1:])
	}
	pprof.StopCPUProfile()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "netpold:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
