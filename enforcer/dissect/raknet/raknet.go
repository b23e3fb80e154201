package raknet

import (
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// Tag is the protocol's name in the catalogue.
const Tag = "raknet"

const (
	// maxLooks bounds how many datagrams are looked at.
	maxLooks = 6
	// enough is how many of them must be RakNet's: one alone is too near to
	// chance, but for an acknowledgement of several records.
	enough = 2
)

// Dissector recognises RakNet. The zero value is ready.
type Dissector struct{}

// Spec describes the dissector.
func (Dissector) Spec() dissect.Spec { return dissect.Spec{Name: Tag, UDP: true} }

// Dissect counts the first datagrams that are RakNet's to the byte.
func (Dissector) Dissect(w *dissect.Window, f *fact.Facts) dissect.Result {
	looks := w.Datagrams[:min(len(w.Datagrams), maxLooks)]
	found := 0
	for i, d := range looks {
		switch records := acknowledged(d.Payload); {
		case frameSet(d.Payload):
			found++
		case records > 0:
			found += min(records, enough)
		case i == 0:
			return dissect.NoMatch
		}
		if found >= enough {
			f.Protocol = Tag
			return dissect.Match
		}
	}
	if len(looks) < maxLooks {
		return dissect.NeedMore
	}
	return dissect.NoMatch
}

// Bits of a datagram's first byte, and kinds of reliability (RakNet's
// ReliabilityLayer and PacketPriority.h).
const (
	flagValid      = 0x80
	flagAck        = 0x40
	flagNak        = 0x20
	maxReliability = 7
	splitFlag      = 0x10
	maxFrames      = 64
)

// frameSet: valid and no acknowledgement, a sequence number, then frames that
// end where the datagram ends. Each has its reliability, its length in bits,
// the indexes that the reliability asks for, and where it is part of a larger
// one, which.
func frameSet(b []byte) bool {
	if len(b) < 8 || b[0]&(flagValid|flagAck|flagNak) != flagValid {
		return false
	}
	c := dissect.NewCursor(b[4:])
	for range maxFrames {
		flags := c.Uint8()
		bits := int(c.Uint16())
		if flags&0x0f != 0 || bits == 0 {
			return false
		}
		c.Skip(indexes(flags >> 5))
		if flags&splitFlag != 0 {
			count, _, index := c.Uint32(), c.Uint16(), c.Uint32()
			if index >= count {
				return false
			}
		}
		c.Skip((bits + 7) / 8)
		if !c.OK() || c.Len() == 0 {
			return c.OK()
		}
	}
	return false
}

// indexes is how many bytes of indexes a frame of some reliability has: three
// of the message where it is reliable, three in a sequence, three and the
// channel in an order.
func indexes(reliability byte) int {
	switch reliability {
	case 0, 5: // unreliable
		return 0
	case 1: // unreliable, sequenced
		return 3 + 4
	case 2, 6: // reliable
		return 3
	case 3, maxReliability: // reliable, ordered
		return 3 + 4
	}
	return 3 + 3 + 4 // reliable, sequenced
}

// acknowledged is how many records an acknowledgement has, 0 when it is none:
// their count, and records of one number or of two in order, which end where
// the datagram ends.
func acknowledged(b []byte) int {
	if len(b) < 7 || b[0] != flagValid|flagAck && b[0] != flagValid|flagNak {
		return 0
	}
	c := dissect.NewCursor(b[1:])
	records := int(c.Uint16())
	if records > maxFrames {
		return 0
	}
	for range records {
		switch c.Uint8() {
		case 1:
			c.Skip(3)
		case 0:
			low, high := little24(&c), little24(&c)
			if high <= low {
				return 0
			}
		default:
			return 0
		}
	}
	if !c.OK() || c.Len() > 0 {
		return 0
	}
	return records
}

// little24 reads three bytes, the lowest first.
func little24(c *dissect.Cursor) int {
	a, b, d := int(c.Uint8()), int(c.Uint8()), int(c.Uint8())
	return a | b<<8 | d<<16
}
