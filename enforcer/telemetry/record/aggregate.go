package record

import "net/netip"

// Aggregate is what flows have carried in an interval, by the dimensions of an
// aggregate block.
type Aggregate struct {
	Head
	Aggregate string   `json:"aggregate" doc:"The aggregate's name."`
	By        []string `json:"by" doc:"Its dimensions; a row has those that are not empty or 0."`
	StartAt   int64    `json:"interval_start_at" doc:"When the interval began."`
	EndAt     int64    `json:"interval_end_at" doc:"When it ended."`
	Input     string   `json:"input,omitempty" doc:"The input whose flows these are; absent for those that the router forwards."`
	PCAP      string   `json:"pcap,omitempty" doc:"The capture file that flows were read from; absent on live input."`
	Part      int      `json:"part" doc:"Which of the interval's records this is, from 1 on."`
	Parts     int      `json:"parts" doc:"How many records the interval has, because one holds 128 rows at most."`
	Exact     bool     `json:"exact" doc:"Whether there was room for all keys, so that each row is exact. Sums are in any case."`
	Error     uint64   `json:"error_bytes" doc:"Bytes that a key may have carried, at most, and not be among those that were kept; 0 when exact."`
	Keys      int      `json:"keys" doc:"How many keys were kept, of which the rows are those that carried most."`

	Rows  []AggregateRow `json:"rows" doc:"The rows of this part, the one that carried most first."`
	Other Sum            `json:"other" doc:"What all parts' rows do not have of the total."`
	Total Sum            `json:"total" doc:"The whole interval, the same in each part."`
}

// AggregateRow is a key and what it carried.
type AggregateRow struct {
	ApplicationName string     `json:"detected_application_name,omitempty" doc:"The application's catalogue tag."`
	BrandName       string     `json:"detected_brand_name,omitempty" doc:"The brand that the application is part of."`
	ProtocolName    string     `json:"detected_protocol_name,omitempty" doc:"The protocol's catalogue tag."`
	Category        string     `json:"category,omitempty" doc:"Of the application, or of the protocol where none is known."`
	LocalIP         netip.Addr `json:"local_ip,omitempty" doc:"The address on the local side."`
	LocalMAC        string     `json:"local_mac,omitempty" doc:"The hardware address on the local side."`
	LocalPort       int        `json:"local_port,omitempty" doc:"The port on the local side."`
	OtherIP         netip.Addr `json:"other_ip,omitempty" doc:"The address on the other side."`
	OtherPort       int        `json:"other_port,omitempty" doc:"The port on the other side."`
	IPProtocol      int        `json:"ip_protocol,omitempty" doc:"The IP protocol number."`
	IPVersion       int        `json:"ip_version,omitempty" doc:"4 or 6."`
	VLANID          int        `json:"vlan_id,omitempty" doc:"The VLAN."`
	Interface       string     `json:"interface,omitempty" doc:"The interface that flows' first packets were seen on."`
	Policy          string     `json:"policy,omitempty" doc:"The first policy that matches, of those that the aggregate tells apart."`
	AddressGroup    string     `json:"address_group,omitempty" doc:"The first address group that the local side is in, of those that the aggregate tells apart."`
	Sum
	Error uint64 `json:"error_bytes,omitempty" doc:"What the key may have carried besides, at most, before there was room for it."`

	// OtherIsLocal says that OtherIP is on the local side as well; sinks hide it
	// then, too.
	OtherIsLocal bool `json:"-"`
}

// Sum is what flows have carried.
type Sum struct {
	LocalBytes   uint64 `json:"local_bytes" doc:"Bytes sent by the local side, IP headers included."`
	LocalPackets uint64 `json:"local_packets" doc:"Packets sent by the local side."`
	OtherBytes   uint64 `json:"other_bytes" doc:"Bytes sent by the other side."`
	OtherPackets uint64 `json:"other_packets" doc:"Packets sent by the other side."`
	FlowCount    uint64 `json:"flow_count" doc:"Flows that carried any of it."`
}
