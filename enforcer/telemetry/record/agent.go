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
	Input     string `json:"input,omitempty" doc:"The input of the policies by which the packets were read that follow; absent for those that the router's own rules showed."`
	Captured
	CaptureDropped uint64 `json:"capture_dropped" doc:"Packets of the input that nobody read in time; of the router's own rules agent_status has it, for all interfaces together."`
}

// Captured is packets of an interface that netpold has read, by what they are, since it was started.
type Captured struct {
	Raw          uint64 `json:"raw" doc:"Packets that netpold has read of it: of the router's own rules the first of each connection."`
	Ethernet     uint64 `json:"ethernet" doc:"Of these, those with an Ethernet header."`
	VLAN         uint64 `json:"vlan" doc:"Those in a VLAN."`
	IP           uint64 `json:"ip" doc:"Those of IP, version 4 or 6."`
	TCP          uint64 `json:"tcp" doc:"Those of TCP."`
	UDP          uint64 `json:"udp" doc:"Those of UDP."`
	ICMP         uint64 `json:"icmp" doc:"Those of ICMP and ICMPv6."`
	IGMP         uint64 `json:"igmp" doc:"Those of IGMP."`
	Fragmented   uint64 `json:"fragmented" doc:"Fragments of IP datagrams."`
	Discarded    uint64 `json:"discarded" doc:"Those that could not be read."`
	TCPResets    uint64 `json:"tcp_resets" doc:"Segments with RST."`
	LargestBytes uint64 `json:"largest_bytes" doc:"The length of the largest."`
	IPBytes      uint64 `json:"ip_bytes" doc:"Their bytes from the IP header on."`
	WireBytes    uint64 `json:"wire_bytes" doc:"Their bytes in all."`
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
