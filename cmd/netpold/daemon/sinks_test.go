package daemon

import (
	"testing"

	"github.com/netpol/netpol/enforcer/telemetry"
)

func TestSinkReasons(t *testing.T) {
	one := telemetry.Sink{Name: "uplink", Place: "otlp https://c.example"}
	if _, ok := sinkReason(&one); ok {
		t.Error("a sink that works is a reason")
	}
	one.Fault, one.Dropped = "the server answers 401 Unauthorized to https://c.example/v1/logs", map[string]uint64{"failed": 2, "full": 1, "unheard": 4}
	for refused, want := range map[bool][2]string{
		false: {
			"the sink uplink (otlp https://c.example) cannot be written: the server answers 401 Unauthorized to https://c.example/v1/logs; what comes waits for it, up to its queue",
			"netpold tries again by itself, after 30 seconds at most, or at once with netpol sink test uplink; see Sinks in docs/operations.md",
		},
		true: {
			"the sink uplink (otlp https://c.example) has its records refused: the server answers 401 Unauthorized to https://c.example/v1/logs; they are given up",
			"mend what the answer names, and try it with netpol sink test uplink; see Sinks in docs/operations.md",
		},
	} {
		one.Refused = refused
		got, ok := sinkReason(&one)
		if !ok || got.Code != "sink-broken" || got.About != "uplink" || got.Count != 3 || got.Detail != want[0] || got.WayOut != want[1] {
			t.Errorf("got %+v, want %q", got, want)
		}
	}
	one.Refused, one.SpoolRecords = false, 7
	const want = "the sink uplink (otlp https://c.example) cannot be written: the server answers 401 Unauthorized to https://c.example/v1/logs; what comes waits for it, on disk, up to its spool_size"
	if got, _ := sinkReason(&one); got.Detail != want {
		t.Errorf("got %q, want %q", got.Detail, want)
	}
}
