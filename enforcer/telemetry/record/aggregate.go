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
	Parts     int      `json:"parts" doc:"How many records the interval has, because one holds 128 rows at most, and 32 with their health."`
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

	Health *Health `json:"health,omitempty" doc:"How flows fared, if the aggregate has health; absent where none was measured."`
}

// Health is how flows fared in an interval, by those of their packets that were measured.
type Health struct {
	FlowCount    uint64    `json:"flow_count" doc:"Flows of which packets were measured."`
	Packets      uint64    `json:"packets" doc:"Their packets that were measured, of TCP and UDP: all figures here are from these. Where they are fewer than local_packets and other_packets together, the kernel showed the first of each connection alone."`
	TCP          HealthTCP `json:"tcp,omitempty" doc:"What TCP did that it should not."`
	RTTServer    *Times    `json:"rtt_server_us,omitempty" doc:"From SYN to SYN/ACK, or from QUIC's first Initial to its answer: one a connection."`
	RTTClient    *Times    `json:"rtt_client_us,omitempty" doc:"From SYN/ACK to ACK, or from QUIC's answer to what the client sends because of it: one a connection."`
	AppResponse  *Times    `json:"app_response_us,omitempty" doc:"From the first byte of a TCP client to the server's first byte after it has that one: one a connection."`
	TLSHandshake *Times    `json:"tls_handshake_us,omitempty" doc:"From the ClientHello to the client's first record of application data: one a connection."`
	DNS          HealthDNS `json:"dns,omitempty" doc:"DNS and LLMNR over UDP."`
	DNSResponse  *Times    `json:"dns_response_us,omitempty" doc:"How long answers of DNS took: each."`
	RTP          HealthRTP `json:"rtp,omitempty" doc:"Streams of RTP."`
	Jitter       *Times    `json:"rtp_jitter_us,omitempty" doc:"Interarrival jitter (RFC 3550, A.8) of streams whose clock is known: count is packets, and mean, over these. A packet stands in the percentiles, min and max with the mean of its stream between two readings."`
}

// HealthTCP is what connections of TCP did that none should.
type HealthTCP struct {
	Packets        uint64 `json:"packets" doc:"Segments that were measured."`
	Retrans        uint64 `json:"retrans" doc:"Segments that were sent again."`
	Resets         uint64 `json:"resets" doc:"Segments with RST."`
	SeqErrors      uint64 `json:"seq_errors" doc:"Segments that came out of order, overtaken on their way."`
	ZeroWindows    uint64 `json:"zero_windows" doc:"Segments that say that their sender has no room for more."`
	LocalRetrans   uint64 `json:"local_retrans" doc:"Of retrans, those of the local side."`
	OtherRetrans   uint64 `json:"other_retrans" doc:"Of retrans, those of the other side."`
	LocalSeqErrors uint64 `json:"local_seq_errors" doc:"Of seq_errors, those of the local side."`
	OtherSeqErrors uint64 `json:"other_seq_errors" doc:"Of seq_errors, those of the other side."`
}

// HealthDNS is queries and their answers.
type HealthDNS struct {
	Queries uint64 `json:"queries" doc:"Queries."`
	Answers uint64 `json:"answers" doc:"Those that were answered."`
}

// HealthRTP is streams of RTP by the side that sent them.
type HealthRTP struct {
	LocalPackets uint64 `json:"local_packets" doc:"Packets of the local side's streams."`
	LocalLost    uint64 `json:"local_lost" doc:"Packets that are missing by sequence numbers (RFC 3550, A.3)."`
	OtherPackets uint64 `json:"other_packets" doc:"Packets of the other side's streams."`
	OtherLost    uint64 `json:"other_lost" doc:"Packets that are missing by sequence numbers (RFC 3550, A.3)."`
}

// Times are a distribution of times, in microseconds. Percentiles are exact of up to eight times, and
// within 9 % of more.
type Times struct {
	Count       uint64   `json:"count" doc:"How many there are."`
	Sum         uint64   `json:"sum" doc:"All together."`
	Mean        uint64   `json:"mean" doc:"Their mean, rounded down."`
	Min         uint64   `json:"min" doc:"The shortest."`
	Max         uint64   `json:"max" doc:"The longest."`
	P50         uint64   `json:"p50" doc:"Half of them are no longer. Exact of up to eight times, otherwise within 9 %, as are the next two."`
	P95         uint64   `json:"p95" doc:"95 % of them are no longer."`
	P99         uint64   `json:"p99" doc:"99 % of them are no longer."`
	FirstBucket int      `json:"first_bucket" doc:"The number of the first bucket. Number i has what is more than 2^((i-1)/4) microseconds and at most 2^(i/4), so those of several rows, intervals and routers can be added up."`
	Buckets     []uint64 `json:"buckets" doc:"How many times are in each bucket from there on."`
}
