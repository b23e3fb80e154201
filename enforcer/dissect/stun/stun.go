package stun

import (
	"encoding/binary"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// Tag is the protocol's name in the catalogue.
const Tag = "stun"

const (
	headerLen   = 20                 // RFC 8489 section 5
	magicCookie = "\x21\x12\xa4\x42" // RFC 8489 section 5
	// maxLooks bounds how many datagrams are looked at: a flow's first STUN
	// message may come after a few of another kind, media after it.
	maxLooks = 6
	// maxMessage bounds a message over TCP. Attributes of real messages fit
	// well within an MTU; certificates of the third-party authorisation
	// (RFC 7635) are the largest.
	maxMessage = 4096
)

// Dissector recognises STUN. The zero value is ready.
type Dissector struct{}

// Spec describes the dissector.
func (Dissector) Spec() dissect.Spec {
	return dissect.Spec{Name: Tag, TCP: true, UDP: true, Ports: []uint16{3478, 3479, 3480, 3481, 5349, 19302}}
}

// Dissect looks for a whole STUN message: in any of the first datagrams, or at
// the start of either direction of a stream.
func (Dissector) Dissect(w *dissect.Window, f *fact.Facts) dissect.Result {
	if len(w.Datagrams) > 0 {
		return datagrams(w, f)
	}
	r := dissect.NoMatch
	for side := range w.Stream {
		one := stream(w.Stream[side], w.Closed[side])
		if one == dissect.Match {
			first := firstMessage(w.Stream[side])
			product(w, first, f)
			peers(w, first)
		}
		r = max(r, one)
	}
	if r == dissect.Match {
		f.Protocol = Tag
	}
	return r
}

func datagrams(w *dissect.Window, f *fact.Facts) dissect.Result {
	looks := w.Datagrams[:min(len(w.Datagrams), maxLooks)]
	from := 0
	if f.Protocol == "" {
		from = w.Shown // with what was shown before, it was none
	}
	for i := from; i < len(looks); i++ {
		d := looks[i]
		if modern(d.Payload) || classic(d.Payload) && (stunPort(w) || answered(looks[:i], d)) {
			f.Protocol = Tag
			products(w, w.Datagrams[i:], f)
			r := follow(w, w.Datagrams[i+1:], modern(d.Payload), f)
			if r == dissect.Partial && len(w.Datagrams) > maxFollow {
				r = dissect.Match
			}
			if w.Want.STUN {
				r = min(r, addresses(looks, f))
			}
			return r
		}
	}
	if len(looks) < maxLooks {
		return dissect.NeedMore
	}
	return dissect.NoMatch
}

// modern reports a message with the magic cookie whose length and attributes
// fill the datagram exactly.
func modern(b []byte) bool {
	return len(b) >= headerLen && b[0]&0xc0 == 0 &&
		string(b[4:8]) == magicCookie &&
		messageLen(b) == len(b) && attributesFit(b[headerLen:], true)
}

// messageLen is the length of the message that a header announces. Only
// multiples of four are possible (RFC 8489 section 5).
func messageLen(b []byte) int {
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n%4 != 0 {
		return -1
	}
	return headerLen + n
}

// attributesFit walks the attributes: each has a type, a length and a value,
// padded to four bytes where padded is true (RFC 8489 section 14; RFC 3489
// had only values that need none).
func attributesFit(b []byte, padded bool) bool {
	for len(b) > 0 {
		if len(b) < 4 {
			return false
		}
		n := int(binary.BigEndian.Uint16(b[2:]))
		if padded {
			n = (n + 3) &^ 3
		}
		if len(b) < 4+n {
			return false
		}
		b = b[4+n:]
	}
	return true
}

// classic reports what may be a message of RFC 3489: a binding or
// shared-secret request, response or error (section 11.1), or Zoom's variant
// with response type 2, with a length that fills the datagram and attributes
// that fill the length.
func classic(b []byte) bool {
	if len(b) < headerLen || messageLen(b) != len(b) || !attributesFit(b[headerLen:], false) {
		return false
	}
	switch binary.BigEndian.Uint16(b) {
	case 0x0001, 0x0101, 0x0111, 0x0002, 0x0102, 0x0112:
		return true
	}
	return false
}

// answered reports that d repeats the transaction ID (16 bytes, RFC 3489
// section 11.1) of a classic message that the other side sent before. One
// message alone has too little that is fixed to tell it from noise.
func answered(before []dissect.Datagram, d dissect.Datagram) bool {
	for _, e := range before {
		if e.From != d.From && classic(e.Payload) && string(e.Payload[4:headerLen]) == string(d.Payload[4:headerLen]) {
			return true
		}
	}
	return false
}

// stunPort reports that one side uses a registered STUN port (IANA: stun,
// stun-behavior) or Zoom's second, 3479.
func stunPort(w *dissect.Window) bool {
	for _, p := range [...]uint16{w.DstPort, w.SrcPort} {
		if p == 3478 || p == 3479 {
			return true
		}
	}
	return false
}

// stream looks for a message at the start of one direction of a stream, plain
// (RFC 8489 section 6.2.2) or behind the two length bytes of RFC 4571, which
// ICE uses over TCP (RFC 6544).
func stream(b []byte, closed bool) dissect.Result {
	r := message(b)
	if len(b) > 2 && r == dissect.NoMatch {
		if n := int(binary.BigEndian.Uint16(b)); n >= headerLen && n <= maxMessage {
			if r = message(b[2:]); r == dissect.Match && messageLen(b[2:]) != n {
				return dissect.NoMatch
			}
		}
	}
	if r == dissect.NeedMore && closed {
		return dissect.NoMatch
	}
	return r
}

// firstMessage is the message at the start of a stream that has one.
func firstMessage(b []byte) []byte {
	if message(b) != dissect.Match {
		b = b[2:]
	}
	return b[:messageLen(b)]
}

// message judges the bytes at which a message with the magic cookie may begin.
func message(b []byte) dissect.Result {
	if len(b) > 0 && b[0]&0xc0 != 0 {
		return dissect.NoMatch
	}
	if len(b) < headerLen {
		seen := b[min(len(b), 4):min(len(b), 8)]
		if string(seen) != magicCookie[:len(seen)] {
			return dissect.NoMatch
		}
		return dissect.NeedMore
	}
	n := messageLen(b)
	if n < 0 || n > maxMessage || string(b[4:8]) != magicCookie {
		return dissect.NoMatch
	}
	if len(b) < n {
		return dissect.NeedMore
	}
	if !attributesFit(b[headerLen:n], true) {
		return dissect.NoMatch
	}
	return dissect.Match
}
