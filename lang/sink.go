package lang

import (
	"time"

	"github.com/netpol/netpol/lang/diag"
)

// Sink is where records of what netpold sees go, with the defaults filled in.
type Sink struct {
	Name        string // with its module before it, "iot/events"
	Module      string // empty for the set itself
	Description string
	Type        string // file, stdout, unix or tcp
	Path        string // of file and unix
	Address     string // of tcp, "127.0.0.1:7171"
	Records     []string
	When        []Criteria // any of them; none for every flow
	Interval    time.Duration
	Queue       int   // bytes
	RotateSize  int64 // bytes; 0 for never
	RotateAge   time.Duration
	Keep        int
	Addresses   string     // plain, hash or drop
	Names       string     // plain, domain or drop
	Range       diag.Range // of the block's header
}

// SinkTypes are the words of a sink's type.
func SinkTypes() []string { return []string{"file", "stdout", "tcp", "unix"} }

// RecordTypes are the records that a sink may ask for. A policy_match comes of a
// policy's notify.
func RecordTypes() []string {
	return []string{"flow", "flow_update", "flow_stats", "flow_end", "agent_status", "interface_stats", "endpoints"}
}
