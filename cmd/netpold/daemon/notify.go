package daemon

import (
	"log/slog"

	sd "github.com/coreos/go-systemd/v22/daemon"
)

// notify tells systemd (sd_notify(3)) how the service is. Outside of systemd
// it does nothing.
func notify(log *slog.Logger, state string) {
	if _, err := sd.SdNotify(false, state); err != nil {
		log.Warn("notify service manager", "error", err)
	}
}

func notifyReady(log *slog.Logger, status string) {
	notify(log, sd.SdNotifyReady+"\nSTATUS="+status)
}

func notifyReloading(log *slog.Logger) {
	notify(log, sd.SdNotifyReloading+"\n"+sd.SdNotifyMonotonicUsec())
}

func notifyStopping(log *slog.Logger) { notify(log, sd.SdNotifyStopping) }
