package packet

// Ticket is what a packet is released by that waits for the engine; the zero
// Ticket is that of a packet that does not wait. It belongs to the Source that
// gave it.
type Ticket struct {
	ID    uint32 // in its queue, from 1
	Mark  uint32 // the packet's own, to be given back
	Hash  uint32 // of its beginning, to know it again
	Queue uint16
	// New says that nobody can write into the connection's entry in conntrack
	// before the packet has gone on: the Source does it.
	New bool
}
