package zoom

import "encoding/binary"

// Types of the media encapsulation.
const (
	mediaScreen  = 13 // through a server
	mediaAudio   = 15
	mediaVideo   = 16
	mediaFiller  = 21
	mediaScreen2 = 30 // between participants
	mediaProbe   = 31
	mediaRTCP    = 33 // 33, 34 and 35
	mediaRTCPEnd = 35
)

// media judges bytes at which a media encapsulation may begin.
func media(b []byte) belief {
	if len(b) == 0 {
		return no
	}
	switch kind := b[0]; {
	case kind == mediaFiller:
		return filler(b)
	case kind == mediaProbe:
		return probe(b)
	case kind >= mediaRTCP && kind <= mediaRTCPEnd:
		return rtcp(b)
	}
	if _, ok := encapsulatedRTP(b); ok {
		return likely
	}
	return no
}

// filler: the constant 1000 at 20, then from 28 on
// a run of one byte.
func filler(b []byte) belief {
	const run = 28
	if len(b) < run+64 || b[1] != 1 || !blank(b[2:6]) || binary.BigEndian.Uint32(b[20:]) != 1000 {
		return no
	}
	for _, c := range b[run+1 : run+64] {
		if c != b[run] {
			return no
		}
	}
	return sure
}

// probe: one participant tells the other its own idea of the other's address
// (the port as a number at 22, the address as text) and the call's UUID.
func probe(b []byte) belief {
	const addressAt, uuidLen = 24, 36
	if len(b) < addressAt+4 || b[1] != 2 || b[2] != 1 {
		return no
	}
	n := int(binary.BigEndian.Uint32(b[addressAt:]))
	rest := b[addressAt+4:]
	if n < len("1.1.1.1") || n > 45 || len(rest) < n+4+uuidLen {
		return no
	}
	for _, c := range rest[:n] {
		if (c < '0' || c > ':') && c != '.' && (c|0x20 < 'a' || c|0x20 > 'f') {
			return no
		}
	}
	if rest = rest[n:]; binary.BigEndian.Uint32(rest) != uuidLen {
		return no
	}
	uuid := rest[4:]
	if uuid[8] != '-' || uuid[13] != '-' || uuid[18] != '-' || uuid[23] != '-' {
		return no
	}
	return sure
}

// rtcp: a sender or receiver report or SDES at offset 16 (RFC 3550 section
// 6.4) whose length lies within the datagram.
func rtcp(b []byte) belief {
	const at = 16
	if len(b) < at+8 || b[1] != 1 || b[at]>>6 != 2 || b[at+1] < 200 || b[at+1] > 202 {
		return no
	}
	words := int(binary.BigEndian.Uint16(b[at+2:]))
	if words < 1 || at+4*(words+1) > len(b) || blank(b[at+4:at+8]) {
		return no
	}
	return likely
}

// rtpHeader is what two packets of one RTP stream share, and what grows.
type rtpHeader struct {
	payloadType uint8
	sequence    uint16
	ssrc        uint32
}

// rtpOf finds the RTP header in a datagram with or without the server
// encapsulation.
func rtpOf(b []byte) (rtpHeader, bool) {
	if b[0] != typeMedia {
		return encapsulatedRTP(b)
	}
	if h, ok := encapsulatedRTP(b[8:]); ok {
		return h, true
	}
	return encapsulatedRTP(b[1:])
}

// encapsulatedRTP finds the RTP header of an audio, video or screen packet at
// the offset that its type fixes.
func encapsulatedRTP(b []byte) (rtpHeader, bool) {
	at := rtpOffset(b)
	if at < 0 || len(b) < at+12 || b[at]>>6 != 2 || blank(b[at+8:at+12]) {
		return rtpHeader{}, false
	}
	h := rtpHeader{b[at+1] & 0x7f, binary.BigEndian.Uint16(b[at+2:]), binary.BigEndian.Uint32(b[at+8:])}
	// Zoom's payload types are dynamic ones (RFC 3551 section 6).
	return h, h.payloadType >= 95
}

// rtpOffset is where RTP begins; -1 for other types and what is too short.
func rtpOffset(b []byte) int {
	if len(b) < 21 || b[1] != 1 && b[0] != mediaScreen {
		return -1
	}
	switch b[0] {
	case mediaAudio:
		return 19
	case mediaVideo:
		if b[20] == 2 {
			return 24
		}
		return 20
	case mediaScreen:
		if b[7] == mediaScreen2 {
			return 27
		}
	case mediaScreen2:
		return 20
	}
	return -1
}
