package bittorrent

import (
	"bytes"
	"encoding/binary"

	"github.com/netpol/netpol/enforcer/dissect"
)

// dht reports a message of BEP 5: a bencoded dictionary whose keys stand in
// order, so that a query or a response begins with its arguments, and among the first
// of these is the sender's 20-byte id. BEP 42 puts the receiver's address before them; errors
// (a list) are told by the message type at the end.
func dht(b []byte) bool {
	if len(b) < 16 || b[0] != 'd' {
		return false
	}
	s := b[:min(len(b), 48)]
	switch {
	case hasPrefix(s, "d1:ad"), hasPrefix(s, "d1:rd"):
		return bytes.Contains(s, []byte("2:id20:"))
	case hasPrefix(s, "d2:ip6:") || hasPrefix(s, "d2:ip18:") || hasPrefix(s, "d1:eli20"):
		return hasSuffix(b, "1:y1:re") || hasSuffix(b, "1:y1:ee")
	}
	return false
}

// discovery reports local service discovery, an HTTP-like request on its
// multicast group (BEP 14).
func discovery(b []byte) bool {
	return hasPrefix(b, "BT-SEARCH * HTTP/1.1\r\n")
}

// tracker reports a connect request of BEP 15: its protocol id, action 0 and a
// transaction id, 16 bytes in all.
func tracker(b []byte) bool {
	const protocolID = 0x41727101980
	return len(b) == 16 && binary.BigEndian.Uint64(b) == protocolID && binary.BigEndian.Uint32(b[8:]) == 0
}

func hasPrefix(b []byte, s string) bool {
	return len(b) >= len(s) && string(b[:len(s)]) == s
}

func hasSuffix(b []byte, s string) bool {
	return len(b) >= len(s) && string(b[len(b)-len(s):]) == s
}

// Packet types of uTP (BEP 29).
const (
	stData  = 0
	stFin   = 1
	stState = 2
	stReset = 3
	stSyn   = 4
)

// utpHeader is the part of a uTP packet that two packets of one connection
// have in common.
type utpHeader struct {
	kind          uint8
	connection    uint16
	delay         uint32 // timestamp difference, microseconds
	sequence, ack uint16
	payload       []byte
}

// parseUTP reads the header (BEP 29: version 1, extensions chained before the
// payload) and refuses what the specification does not allow.
func parseUTP(b []byte) (utpHeader, bool) {
	const headerLen = 20
	if len(b) < headerLen || b[0]&0x0f != 1 || b[0]>>4 > stSyn {
		return utpHeader{}, false
	}
	h := utpHeader{
		kind:       b[0] >> 4,
		connection: binary.BigEndian.Uint16(b[2:]),
		delay:      binary.BigEndian.Uint32(b[8:]),
		sequence:   binary.BigEndian.Uint16(b[16:]),
		ack:        binary.BigEndian.Uint16(b[18:]),
	}
	next, rest := b[1], b[headerLen:]
	for next != 0 {
		// Selective ack is 1, extension bits 2; each has a next type and a length.
		if next > 2 || len(rest) < 2 || len(rest) < 2+int(rest[1]) {
			return utpHeader{}, false
		}
		next, rest = rest[0], rest[2+int(rest[1]):]
	}
	if h.kind != stData && len(rest) > 0 {
		return utpHeader{}, false
	}
	h.payload = rest
	return h, true
}

// utp reports a uTP packet, from its own bytes where they are enough (a
// connection's first packet, or the peer handshake inside) and else from an
// earlier packet of the other side that it answers.
func utp(before []dissect.Datagram, d dissect.Datagram) bool {
	h, ok := parseUTP(d.Payload)
	if !ok {
		return false
	}
	if h.kind == stSyn && h.delay == 0 && h.sequence == 1 && h.ack == 0 || h.kind == stData && holdsHandshake(h.payload) {
		return true
	}
	for _, e := range before {
		if e.From == d.From {
			continue
		}
		if g, ok := parseUTP(e.Payload); ok && answers(g, h) {
			return true
		}
	}
	return false
}

// answers reports that h is the other side's reply to g. The two directions of
// a connection have ids that differ by one, except for the answer to the
// first packet, which repeats its id; and each acknowledges what the other
// lately sent.
func answers(g, h utpHeader) bool {
	const window = 256 // packets in flight at the start of a connection
	if g.kind == stSyn {
		return h.kind == stState && h.connection == g.connection && h.ack == g.sequence
	}
	near := g.connection-h.connection == 1 || h.connection-g.connection == 1
	return near && g.connection != 0 && h.connection != 0 && g.sequence-h.ack < window && h.sequence-g.ack <= window
}
