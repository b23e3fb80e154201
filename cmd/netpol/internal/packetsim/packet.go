package packetsim

import (
	"net/netip"
	"time"
)

// Direction is which side of a connection sent a packet (enum
// ip_conntrack_dir).
type Direction uint8

// Directions.
const (
	Original Direction = iota // the side that opened the connection
	Reply
)

// String is nft's word.
func (d Direction) String() string {
	if d == Reply {
		return "reply"
	}
	return "original"
}

// Path is the way of a packet through the router.
type Path uint8

// Paths.
const (
	Forward Path = iota // from one interface to another
	Input               // to the router itself
	Output              // from the router itself
)

// hooks are the hooks that a packet passes, in order
// (nf_hook_state of net/netfilter; ingress and egress are not the table's).
func (p Path) hooks() []string {
	switch p {
	case Input:
		return []string{"prerouting", "input"}
	case Output:
		return []string{"output", "postrouting"}
	case Forward:
	}
	return []string{"prerouting", "forward", "postrouting"}
}

// Connection is a conntrack entry. The zero value is one of a packet that has
// not been seen yet.
type Connection struct {
	Labels [16]byte // bit n is bit n%8 of byte n/8
	Mark   uint32
	// Confirmed: its first packet has left the last hook (IPS_CONFIRMED).
	Confirmed bool
	// Answered: the other side has sent something (IPS_SEEN_REPLY).
	Answered bool
	// Offloaded: its packets are forwarded past the table from now on.
	Offloaded bool
	// Related: it was expected by another one, or is an error message about it.
	Related bool
	// Packets and Bytes count by Direction, as with nf_conntrack_acct; bytes
	// are those of IP packets, headers included.
	Packets, Bytes [2]uint64
}

// Has reports whether a label is set.
func (c *Connection) Has(bit int) bool { return c.Labels[bit/8]&(1<<(bit%8)) != 0 }

func (c *Connection) set(bit int) { c.Labels[bit/8] |= 1 << (bit % 8) }

// Packet is one packet. Addresses and ports are those in its own headers.
type Packet struct {
	Path             Path
	Direction        Direction
	Protocol         uint8 // of layer 4
	Src, Dst         netip.Addr
	SrcPort, DstPort uint16
	In, Out          string // interfaces; the path says which there are
	Size             uint64 // bytes from the IP header on
	Reset            bool   // TCP RST
	DSCP             uint8  // that it came with
	Time             time.Time
	// Untracked packets have no connection.
	Untracked bool
}

// version is the IP version.
func (p *Packet) version() uint32 {
	if p.Src.Is4() {
		return 4
	}
	return 6
}

// hasPorts reports whether the layer-4 header begins with two ports.
func (p *Packet) hasPorts() bool {
	switch p.Protocol {
	case 6, 17, 33, 132, 136: // TCP, UDP, DCCP, SCTP, UDP-Lite
		return true
	}
	return false
}
