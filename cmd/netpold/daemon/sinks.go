package daemon

import (
	"fmt"

	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/telemetry"
)

// sinkReason is a sink that cannot write now; ok is false when it can.
func sinkReason(s *telemetry.Sink) (r control.Reason, ok bool) {
	if s.Fault == "" {
		return r, false
	}
	if s.Refused {
		return control.Reason{
			Code: "sink-broken", About: s.Name, Count: s.Dropped["full"] + s.Dropped["failed"],
			Detail: fmt.Sprintf("the sink %s (%s) has its records refused: %s; they are given up", s.Name, s.Place, s.Fault),
			WayOut: "mend what the answer names, and try it with netpol sink test " + s.Name + "; see Sinks in docs/operations.md",
		}, true
	}
	where := "up to its queue"
	if s.SpoolRecords > 0 {
		where = "on disk, up to its spool_size"
	}
	return control.Reason{
		Code: "sink-broken", About: s.Name, Count: s.Dropped["full"] + s.Dropped["failed"],
		Detail: fmt.Sprintf("the sink %s (%s) cannot be written: %s; what comes waits for it, %s", s.Name, s.Place, s.Fault, where),
		WayOut: "netpold tries again by itself, after 30 seconds at most, or at once with netpol sink test " + s.Name + "; see Sinks in docs/operations.md",
	}, true
}

// countDropped adds up the records that found no room or could not be written,
// for the sign that tells of them.
func countDropped(sinks []telemetry.Sink) (n uint64) {
	for _, s := range sinks {
		n += s.Dropped["full"] + s.Dropped["failed"]
	}
	return n
}
