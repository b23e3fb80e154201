package packet

import (
	"errors"
	"fmt"
)

// LinkType is how the first bytes of a packet are to be read; the values are
// those of the pcap file format (LINKTYPE_*).
type LinkType uint16

// Link types that Decode understands.
const (
	LinkNull     LinkType = 0
	LinkEthernet LinkType = 1
	LinkPPP      LinkType = 9
	LinkRawBSD   LinkType = 12 // DLT_RAW as it is written by systems where it has this number
	LinkRawOpen  LinkType = 14 // the same, of OpenBSD
	LinkPPPHDLC  LinkType = 50
	LinkPPPoE    LinkType = 51
	LinkRaw      LinkType = 101
	LinkCHDLC    LinkType = 104
	LinkWiFi     LinkType = 105
	LinkLoop     LinkType = 108
	LinkLinuxSLL LinkType = 113
	LinkPrism    LinkType = 119
	LinkRadiotap LinkType = 127
	LinkAVS      LinkType = 163
	LinkPPI      LinkType = 192
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
	// SourceMAC is the sender's hardware address where the source knows it and
	// Data does not hold it (NFLOG); zero otherwise.
	SourceMAC [6]byte
	File      string // base name of the capture file, empty on live input
	Ticket    Ticket // of a packet that waits
	// Missed says that the packet was to wait and did not: nobody read the queue,
	// or it was full.
	Missed bool
}

// ErrIdle is what a live Source returns when no packet came for a while, so
// that the engine can look at its timers.
var ErrIdle = errors.New("no packet")

// ErrFileEnd is what a capture file Source returns after the last packet of
// each file: flows do not go on from one file to the next. The caller calls
// Next again for the next file.
var ErrFileEnd = errors.New("end of capture file")

// FileError says that a capture file could not be read to its end. It takes
// the place of ErrFileEnd: the caller may call Next again for the next file.
type FileError struct {
	File string // as it was named by the user
	Err  error
}

// Error names the file first, so that a list of them is readable.
func (e *FileError) Error() string { return fmt.Sprintf("read capture %s: %v", e.File, e.Err) }

// Unwrap gives the cause.
func (e *FileError) Unwrap() error { return e.Err }

// String is the name libpcap gives the link type.
func (l LinkType) String() string {
	switch l {
	case LinkNull:
		return "NULL"
	case LinkEthernet:
		return "EN10MB"
	case LinkPPP:
		return "PPP"
	case LinkRaw, LinkRawBSD, LinkRawOpen:
		return "RAW"
	case LinkPPPHDLC:
		return "PPP_SERIAL"
	case LinkPPPoE:
		return "PPP_ETHER"
	case LinkCHDLC:
		return "C_HDLC"
	case LinkWiFi:
		return "IEEE802_11"
	case LinkPrism:
		return "PRISM_HEADER"
	case LinkRadiotap:
		return "IEEE802_11_RADIO"
	case LinkAVS:
		return "IEEE802_11_RADIO_AVS"
	case LinkLoop:
		return "LOOP"
	case LinkLinuxSLL:
		return "LINUX_SLL"
	case LinkPPI:
		return "PPI"
	case LinkIPv4:
		return "IPV4"
	case LinkIPv6:
		return "IPV6"
	case LinkSLL2:
		return "LINUX_SLL2"
	}
	return fmt.Sprintf("%d", uint16(l))
}

// Supported says that Decode understands the link type.
func (l LinkType) Supported() bool {
	switch l {
	case LinkNull, LinkEthernet, LinkPPP, LinkRaw, LinkLoop, LinkLinuxSLL, LinkPPI, LinkIPv4, LinkIPv6, LinkSLL2,
		LinkRawBSD, LinkRawOpen, LinkPPPHDLC, LinkPPPoE, LinkCHDLC, LinkWiFi, LinkPrism, LinkRadiotap, LinkAVS:
		return true
	}
	return false
}
