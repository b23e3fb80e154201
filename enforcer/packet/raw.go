package packet

import "errors"

// LinkType is how the first bytes of a packet are to be read; the values are
// those of the pcap file format (LINKTYPE_*).
type LinkType uint16

// Link types that Decode understands.
const (
	LinkNull     LinkType = 0
	LinkEthernet LinkType = 1
	LinkPPP      LinkType = 9
	LinkRaw      LinkType = 101
	LinkLoop     LinkType = 108
	LinkLinuxSLL LinkType = 113
	LinkIPv4     LinkType = 228
	LinkIPv6     LinkType = 229
	LinkSLL2     LinkType = 276
)

// Direction says which side of a connection sent a packet, where the capture
// knows it (conntrack's ct direction).
type Direction uint8

// Directions.
const (
	DirUnknown  Direction = iota
	DirOriginal           // sent by the side that opened the connection
	DirReply
)

// Raw is one captured packet. A Source fills it; Data is valid until the next
// call of Next.
type Raw struct {
	Data      []byte
	LinkType  LinkType
	Timestamp int64  // nanoseconds since the Unix epoch
	Length    int    // bytes on the wire; at least len(Data)
	Interface string // name, empty when not known
	Direction Direction
	File      string // base name of the capture file, empty on live input
}

// ErrIdle is what a live Source returns when no packet came for a while, so
// that the engine can look at its timers.
var ErrIdle = errors.New("no packet")
