package daemon

import (
	"context"
	"log/slog"

	"github.com/netpol/netpol/enforcer/telemetry"
)

// flowLog is the live engine's recorder: flows that were named, changed or
// ended, at debug level.
type flowLog struct{ log *slog.Logger }

// Record logs one flow.
func (l flowLog) Record(f *telemetry.Flow) {
	if !l.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	l.log.Debug("flow", "event", f.Event.String(), "flow", string(f.AppendText(nil)), "labels", f.Labels, "policies", f.Policies)
}
