package telemetry

// Sink is how one of the operator's sinks is.
type Sink struct {
	Name    string            `json:"name"`
	Place   string            `json:"place"`
	Records uint64            `json:"records"`           // that were taken in
	Bytes   uint64            `json:"bytes"`             // that were written
	Dropped map[string]uint64 `json:"dropped,omitempty"` // records that went nowhere, by why
	Clients int               `json:"clients,omitempty"` // that are connected
	// SlowClients were let go because they did not keep up.
	SlowClients uint64 `json:"slow_clients,omitempty"`
	// SpoolRecords wait on disk, in SpoolBytes.
	SpoolRecords uint64 `json:"spool_records,omitempty"`
	SpoolBytes   int64  `json:"spool_bytes,omitempty"`
	Fault        string `json:"fault,omitempty"` // why it cannot write now
	// Refused says that the fault is an answer of a place that works: records are given up, and
	// do not wait.
	Refused bool `json:"refused,omitempty"`
}
