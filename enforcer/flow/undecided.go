package flow

// See counts a packet of a flow that is not Done.
func (r *Record) See() { r.shared++ }

// Seen is how many packets have been seen since analysis began. It is valid unless the
// record is Done.
func (r *Record) Seen() int { return int(r.shared) }

// ISN is the initial sequence number of a side of TCP, the client or the server. The
// client's is valid iff SynClient, the server's iff SynServer and not Done.
func (r *Record) ISN(server bool) uint32 {
	if server {
		return r.second
	}
	return r.first
}

// SetISN notes a side's.
func (r *Record) SetISN(server bool, seq uint32) {
	if !server {
		r.first = seq
		r.Set(SynClient)
		return
	}
	if !r.Has(Done) { // nobody asks for it later
		r.second = seq
	}
	r.Set(SynServer)
}

// SetICMP notes the type and the code of the first packet, of a flow of ICMP.
func (r *Record) SetICMP(kind, code uint8) { r.first = uint32(kind)<<8 | uint32(code) }

// Watch makes a flow of UDP Watched: dissector says which one goes on reading it.
func (r *Record) Watch(dissector int) {
	r.Set(Watched)
	r.first = uint32(dissector)
}

// Dissector is what Watch was told. It is valid iff the record is Watched.
func (r *Record) Dissector() int { return int(r.first) }
