package daemon

import (
	"context"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"

	"github.com/netpol/netpol/enforcer/pulse"
)

// watchdog tells the service manager that netpold works, twice as often as it
// wants to hear it (WatchdogSec=, sd_watchdog_enabled(3)), until ctx ends. A
// packet path that hangs is silent, and the manager starts netpold anew. Without
// a manager that asks it does nothing.
func (d *daemon) watchdog(ctx context.Context) {
	interval, err := sd.SdWatchdogEnabled(false)
	if err != nil {
		d.log.Warn("ask for the watchdog's interval", "error", err)
	}
	if interval <= 0 {
		return
	}
	answers := func() {
		if e := d.current(); e != nil {
			e.engine.Flows(0) // the worker answers between two packets
		}
	}
	keepAlive(ctx, interval/2, answers, func() { notify(d.log, sd.SdNotifyWatchdog) })
}

// keepAlive calls tell each time that answers has returned, until ctx ends, and is
// silent while answers does not.
func keepAlive(ctx context.Context, every time.Duration, answers, tell func()) {
	for {
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			answers()
		}()
		select {
		case <-ctx.Done():
			return
		case <-answered:
			tell()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pulse.Until(every)):
		}
	}
}
