package kpi

// Report is a flow's figures. Times are microseconds, rounded up; 0 is not known.
type Report struct {
	Packets uint64 // that were seen, which all else is from

	// RTTServer is from the opening packet to the server's answer, RTTClient from that
	// to what the client sends because of it: SYN, SYN/ACK, ACK of TCP, or
	// Initials of QUIC. A packet that was sent twice leaves open which was answered:
	// there is none then (Karn's rule, RFC 6298, section 3).
	RTTServer, RTTClient uint32
	// AppResponse is from the client's first byte to the first that the server sends after
	// it has that one. Of TCP, seen from its beginning.
	AppResponse uint32
	// TLSHandshake is from the client's hello to its first record of application data,
	// which in TLS 1.3 is its Finished.
	TLSHandshake uint32

	TCP TCP    // valid iff HasTCP
	DNS DNS    // of a flow of DNS; means nothing for others
	RTP [2]RTP // by end that sends; Packets is 0 where there are none

	HasTCP bool
}

// TCP is what a connection did that none should, by the end that sent.
type TCP struct {
	Retransmissions [2]uint32 // segments whose bytes had been seen before, or should have been
	OutOfOrder      [2]uint32 // segments that came late, overtaken on their way
	ZeroWindows     [2]uint32 // segments that say that there is no room for more
	Resets          [2]uint32
}

// DNS is how queries were answered.
type DNS struct {
	Queries, Answers uint32
	Response         uint32 // mean of the answers
	ResponseMax      uint32
}

// RTP is what one end sent, of all of its streams.
type RTP struct {
	Packets uint64
	Lost    uint64 // by sequence numbers (RFC 3550, A.3)
	// Jitter is the mean over the packets of a stream of the interarrival jitter (RFC
	// 3550, A.8), JitterMax its maximum, of the stream where it is larger. 0 where the
	// clock of the time stamps is not known.
	Jitter, JitterMax uint32
	// JitterSum is what Jitter is the mean of, in microseconds, of all streams together, and
	// JitterPackets of how many packets.
	JitterSum     float64
	JitterPackets uint64
}
