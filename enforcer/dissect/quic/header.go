package quic

import "github.com/netpol/netpol/enforcer/dissect"

// packetType is the type of a long header packet.
type packetType uint8

// Types, in the numbering of version 1 (RFC 9000 section 17.2).
const (
	typeInitial packetType = iota
	typeZeroRTT
	typeHandshake
	typeRetry
)

const (
	// maxConnectionID bounds a connection id (RFC 9000 section 17.2).
	maxConnectionID = 20
	// minPayload is what a protected packet holds at least: four bytes from
	// where the packet number starts, then the sample of header protection
	// (RFC 9001 section 5.4.2).
	minPayload = 4 + sampleLen
)

// longHeader is one packet with a long header; its slices alias the datagram.
type longHeader struct {
	version    uint32
	typ        packetType
	dcid, scid []byte
	packet     []byte // from the first byte to the end of the payload
	number     int    // offset of the packet number in packet
}

// readLong reads the packet at the start of c (RFC 9000 section 17.2) and
// steps behind it, for datagrams hold several (section 12.2). It takes known
// versions only.
func readLong(c *dissect.Cursor) (h longHeader, ok bool) {
	all := c.Rest()
	first := c.Uint8()
	h.version = c.Uint32()
	if !c.OK() || first&0x80 == 0 || !knownVersion(h.version) || isGoogle(h.version) && !encryptedGoogle(h.version) {
		return h, false
	}
	dcid, scid := c.Vector8(), c.Vector8()
	// The fixed bit may be greased only once both ends know each other (RFC
	// 9287 section 3.1).
	if !c.OK() || first&0x40 == 0 || dcid.Len() > maxConnectionID || scid.Len() > maxConnectionID {
		return h, false
	}
	h.dcid, h.scid = dcid.Rest(), scid.Rest()
	h.typ = packetType(first >> 4 & 3)
	if h.version == version2 || h.version == version2Old {
		h.typ = (h.typ + 3) & 3 // RFC 9369 section 3.2
	}
	switch h.typ {
	case typeRetry:
		h.packet = all
		return h, c.Bytes(c.Len()) != nil
	case typeInitial:
		token := varint(c)
		c.Skip(int(min(token, 1<<16)))
	case typeZeroRTT, typeHandshake:
	}
	length := varint(c)
	h.number = len(all) - c.Len()
	if !c.OK() || length < minPayload || length > uint64(c.Len()) {
		return h, false
	}
	c.Skip(int(length))
	h.packet = all[:h.number+int(length)]
	return h, true
}

// encryptedGoogle says whether one of Google's versions has the long header of
// RFC 9000: those from 050 on.
func encryptedGoogle(v uint32) bool { return v&0xff >= '0' && v>>8&0xff >= '5' }

// varint reads a variable-length integer (RFC 9000 section 16).
func varint(c *dissect.Cursor) uint64 {
	first := c.Uint8()
	v := uint64(first & 0x3f)
	for range 1<<(first>>6) - 1 {
		v = v<<8 | uint64(c.Uint8())
	}
	return v
}

// isNegotiation recognises a version negotiation packet (RFC 9000 section
// 17.2.1) by what it must have: at least one version that is known, and all
// others known, reserved or a vendor's.
func isNegotiation(b []byte) bool {
	c := dissect.NewCursor(b)
	first, version := c.Uint8(), c.Uint32()
	dcid, scid := c.Vector8(), c.Vector8()
	if !c.OK() || first&0x80 == 0 || version != 0 || dcid.Len() > maxConnectionID || scid.Len() > maxConnectionID ||
		dcid.Len()+scid.Len() == 0 || c.Len() == 0 || c.Len()%4 != 0 {
		return false
	}
	for c.Len() > 0 {
		if knownVersion(c.Uint32()) {
			return true
		}
	}
	return false
}

// isProbe recognises a client's packet of a version made to be refused, padded
// like every first datagram (RFC 9000 sections 6.3 and 14.1).
func isProbe(b []byte) bool {
	c := dissect.NewCursor(b)
	first, version := c.Uint8(), c.Uint32()
	dcid, scid := c.Vector8(), c.Vector8()
	return c.OK() && first&0xc0 == 0xc0 && isReserved(version) && len(b) >= 1200 &&
		dcid.Len() >= 8 && dcid.Len() <= maxConnectionID && scid.Len() <= maxConnectionID
}
