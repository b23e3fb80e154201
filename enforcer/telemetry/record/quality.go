package record

// Quality is how a flow fared, as far as its packets were seen. Figures that they do not show
// are absent.
type Quality struct {
	KPI KPI `json:"kpi,omitempty" doc:"Times, from packets that were seen: the router stands between the ends, so each is that from it to one end and back. Absent where none were kept."`
	TCP TCP `json:"tcp,omitempty" doc:"What TCP did that it should not, in the packets that kpi counts."`
	RTP RTP `json:"rtp,omitempty" doc:"Streams of RTP."`
}

// KPI is times of a flow, in microseconds and rounded up, so that none is 0.
type KPI struct {
	Packets      uint64 `json:"packets" doc:"How many packets the figures here, in tcp and in rtp are from. Where total_packets is more, the kernel showed the first alone."`
	RTTServer    uint32 `json:"rtt_server_us,omitempty" doc:"From SYN to SYN/ACK, or from QUIC's first Initial to its answer, in microseconds. Absent when the opening packet came twice."`
	RTTClient    uint32 `json:"rtt_client_us,omitempty" doc:"From SYN/ACK to ACK, or from QUIC's answer to what the client sends because of it, in microseconds. Absent when the answer came twice."`
	AppResponse  uint32 `json:"app_response_us,omitempty" doc:"From the first byte of a TCP client to the server's first byte after it has that one, in microseconds."`
	TLSHandshake uint32 `json:"tls_handshake_us,omitempty" doc:"From the ClientHello to the client's first record of application data, which in TLS 1.3 is its Finished, in microseconds."`
	DNSQueries   uint32 `json:"dns_queries,omitempty" doc:"Queries of DNS over UDP."`
	DNSAnswers   uint32 `json:"dns_answers,omitempty" doc:"Those that were answered."`
	DNSResponse  uint32 `json:"dns_response_us,omitempty" doc:"How long answers took, in the mean, in microseconds."`
	DNSLongest   uint32 `json:"dns_response_max_us,omitempty" doc:"How long the slowest took, in microseconds."`
}

// TCP is what a connection did that none should.
type TCP struct {
	Retrans       uint64 `json:"retrans" doc:"Segments that were sent again."`
	Resets        uint64 `json:"resets" doc:"Segments with RST."`
	SeqErrors     uint64 `json:"seq_errors" doc:"Segments that came out of order, overtaken on their way."`
	ZeroWindows   uint64 `json:"zero_windows" doc:"Segments that say that their sender has no room for more."`
	LocalRetrans  uint64 `json:"local_retrans" doc:"Of retrans, those of the local side."`
	OtherRetrans  uint64 `json:"other_retrans" doc:"Of retrans, those of the other side."`
	LocalSeqError uint64 `json:"local_seq_errors" doc:"Of seq_errors, those of the local side."`
	OtherSeqError uint64 `json:"other_seq_errors" doc:"Of seq_errors, those of the other side."`

	// Seen tells nothing to report from a connection of which no packet was.
	Seen bool `json:"-"`
}

// RTP is streams of RTP by the side that sent them. Jitter is absent where the clock of the
// time stamps is not known.
type RTP struct {
	LocalPackets   uint64 `json:"local_packets" doc:"Packets of the local side's streams."`
	LocalLost      uint64 `json:"local_lost" doc:"Packets that are missing by sequence numbers (RFC 3550, A.3)."`
	LocalJitter    uint32 `json:"local_jitter_us,omitempty" doc:"Interarrival jitter (RFC 3550, A.8), its mean over the packets of the stream where it is larger, in microseconds."`
	LocalJitterMax uint32 `json:"local_jitter_max_us,omitempty" doc:"Its maximum, in microseconds."`
	OtherPackets   uint64 `json:"other_packets" doc:"Packets of the other side's streams."`
	OtherLost      uint64 `json:"other_lost" doc:"Packets that are missing by sequence numbers (RFC 3550, A.3)."`
	OtherJitter    uint32 `json:"other_jitter_us,omitempty" doc:"Interarrival jitter (RFC 3550, A.8), its mean over the packets of the stream where it is larger, in microseconds."`
	OtherJitterMax uint32 `json:"other_jitter_max_us,omitempty" doc:"Its maximum, in microseconds."`
}
