package flow

// Counts are what has passed in one direction of a connection: packets, and
// bytes from the IP header on, as conntrack counts.
type Counts struct {
	Packets, Bytes uint64
}

// Plus are both together.
func (c Counts) Plus(o Counts) Counts {
	return Counts{Packets: c.Packets + o.Packets, Bytes: c.Bytes + o.Bytes}
}

// Connection is what conntrack knows of a connection.
type Connection struct {
	Orig, Reply Tuple // as each direction's packets bear them when they come in
	Labels      [16]byte
	// HasLabels says that the kernel has room for labels in this connection
	// and that some were set, ever; Labels are valid iff it has.
	HasLabels bool
	// Closing says that the connection is over and its entry only lingers (TCP
	// TIME_WAIT and CLOSE).
	Closing  bool
	ID       uint32 // conntrack's number of it, the same all its life
	Zone     uint16
	Start    int64 // nanoseconds since the Unix epoch; 0 unless net.netfilter.nf_conntrack_timestamp is on
	Mark     uint32
	Sent     Counts // sent by the side that opened it; zero where nothing is counted
	Returned Counts // sent by the other side
}
