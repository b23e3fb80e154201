package record

import "net/netip"

// AgentStatus is how netpold is, at intervals.
type AgentStatus struct {
	Head
	AgentVersion   string `json:"agent_version" doc:"netpold's version."`
	BundleDigest   string `json:"bundle_digest" doc:"The bundle of policies in force."`
	Uptime         int64  `json:"uptime" doc:"Seconds since netpold was started."`
	UpdateInterval int64  `json:"update_interval" doc:"Seconds between two of these records."`
	CPUCores       int    `json:"cpu_cores" doc:"Processors that netpold may use."`
	CPUUser        Milli  `json:"cpu_user" doc:"Seconds of processor time in netpold since it was started."`
	CPUSystem      Milli  `json:"cpu_system" doc:"The same in the kernel, on netpold's behalf."`
	MemRSS         uint64 `json:"memrss_kb" doc:"Memory in use now."`
	MaxRSS         uint64 `json:"maxrss_kb" doc:"The most memory in use so far."`
	FlowCount      uint64 `json:"flow_count" doc:"Flows in the table."`
	FlowsActive    uint64 `json:"flows_active" doc:"Flows in inspection."`
	FlowsSeen      uint64 `json:"flows_seen" doc:"Flows since netpold was started."`
	FlowsPurged    uint64 `json:"flows_purged" doc:"Flows that are over."`
	FlowsEvicted   uint64 `json:"flows_evicted" doc:"Flows that made room for others in a full table."`
	Packets        uint64 `json:"packets" doc:"Packets that were looked at."`
	QueueDropped   uint64 `json:"queue_dropped" doc:"Packets that the kernel showed and nobody read."`
	RecordsDropped uint64 `json:"records_dropped" doc:"Records that sinks had no room for."`
	LabelWrites    uint64 `json:"label_writes" doc:"Verdicts written to the kernel."`
	LabelErrors    uint64 `json:"label_errors" doc:"Times that the kernel took none."`
}

// InterfaceStats is what an interface has carried since it was made, at
// intervals: the kernel's own counters (struct rtnl_link_stats64).
type InterfaceStats struct {
	Head
	Interface string `json:"interface" doc:"Its name."`
	RxBytes   uint64 `json:"rx_bytes" doc:"Bytes received."`
	RxPackets uint64 `json:"rx_packets" doc:"Packets received."`
	RxErrors  uint64 `json:"rx_errors" doc:"Packets received that were bad."`
	RxDropped uint64 `json:"rx_dropped" doc:"Packets received that nobody took."`
	TxBytes   uint64 `json:"tx_bytes" doc:"Bytes sent."`
	TxPackets uint64 `json:"tx_packets" doc:"Packets sent."`
	TxErrors  uint64 `json:"tx_errors" doc:"Packets that could not be sent."`
	TxDropped uint64 `json:"tx_dropped" doc:"Packets that were not sent for want of room."`
}

// Endpoints are the hosts on the local side, at intervals: for each hardware
// address, as a key of its own, the addresses that it was seen with.
type Endpoints struct {
	Head
	Hosts []Endpoint `json:"hosts,inline" doc:"The addresses of the host with this hardware address."`
}

// Endpoint is one host.
type Endpoint struct {
	MAC       string
	Addresses []netip.Addr
}
