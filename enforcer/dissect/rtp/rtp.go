package rtp

import (
	"encoding/binary"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// Tags of the protocols in the catalogue.
const (
	Tag     = "rtp"
	TagRTCP = "rtcp"
)

// maxLooks bounds how many datagrams are looked at: media may follow a few of
// another kind, and both of a pair must be among them.
const maxLooks = 8

// Dissector recognises RTP and RTCP. The zero value is ready.
type Dissector struct{}

// Spec describes the dissector.
func (Dissector) Spec() dissect.Spec { return dissect.Spec{Name: Tag, TCP: true, UDP: true} }

// Dissect looks at each of the first datagrams, alone and beside the earlier,
// or at the first two packets of either direction of a stream.
func (Dissector) Dissect(w *dissect.Window, f *fact.Facts) dissect.Result {
	if len(w.Datagrams) == 0 {
		r := max(stream(w.Stream[0], w.Closed[0]), stream(w.Stream[1], w.Closed[1]))
		if r == dissect.Match {
			f.Protocol = Tag
		}
		return r
	}
	looks := w.Datagrams[:min(len(w.Datagrams), maxLooks)]
	for i := w.Shown; i < len(looks); i++ { // with what was shown before, it was neither
		d := looks[i]
		switch {
		case Report(d.Payload):
			f.Protocol = TagRTCP
			return dissect.Match
		case Follows(looks[:i], d):
			f.Protocol = Tag
			return dissect.Match
		}
	}
	if len(looks) < maxLooks {
		return dissect.NeedMore
	}
	return dissect.NoMatch
}

// maxFramed bounds a packet over TCP: a datagram that would fit an Ethernet
// frame of the largest kind in use.
const maxFramed = 9000

// stream judges one direction that may be packets behind their lengths (RFC
// 4571 section 2).
func stream(b []byte, closed bool) dissect.Result {
	var last header
	for i, c := 0, dissect.NewCursor(b); ; i++ {
		n := c.Uint16()
		if c.OK() && (n <= headerLen || n > maxFramed) || c.OK() && c.Len() > 0 && c.Rest()[0]>>6 != 2 {
			return dissect.NoMatch
		}
		packet := c.Bytes(int(n))
		if !c.OK() && closed {
			return dissect.NoMatch
		}
		if !c.OK() {
			return dissect.NeedMore
		}
		h, ok := parse(packet)
		if !ok || i > 0 && !h.follows(last) {
			return dissect.NoMatch
		}
		if i > 0 {
			return dissect.Match
		}
		last = h
	}
}

// Follows says that d is an RTP packet that follows one of the same side.
func Follows(before []dissect.Datagram, d dissect.Datagram) bool {
	p, ok := parse(d.Payload)
	if !ok {
		return false
	}
	for _, e := range before {
		if e.From != d.From {
			continue
		}
		if q, ok := parse(e.Payload); ok && p.follows(q) {
			return true
		}
	}
	return false
}

const (
	headerLen = 12 // RFC 3550 section 5.1
	// maxSkip is how many packets may be missing between two that are seen:
	// a flow's first packets come one after the other, less what is lost.
	maxSkip = 32
	// maxTicks bounds how far their timestamps lie apart: ten seconds at the
	// fastest clock in use, video's 90 kHz (RFC 3551 section 5).
	maxTicks = 10 * 90_000
)

// header is what two packets of one source are compared by.
type header struct {
	payloadType     byte
	sequence        uint16
	timestamp, ssrc uint32
}

// parse reads an RTP header and refuses what RFC 3550 section 5.1 does not
// allow, and the payload types that would look like RTCP (RFC 5761 section 4).
func parse(b []byte) (h header, ok bool) {
	if len(b) <= headerLen || b[0]>>6 != 2 {
		return h, false
	}
	h = header{
		payloadType: b[1] & 0x7f,
		sequence:    binary.BigEndian.Uint16(b[2:]),
		timestamp:   binary.BigEndian.Uint32(b[4:]),
		ssrc:        binary.BigEndian.Uint32(b[8:]),
	}
	if h.payloadType >= 64 && h.payloadType < 96 {
		return h, false
	}
	n := headerLen + 4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 { // header extension
		if len(b) < n+4 {
			return h, false
		}
		n += 4 + 4*int(binary.BigEndian.Uint16(b[n+2:]))
	}
	return h, len(b) >= n
}

// follows says that h comes after g in one stream. The payload type may change,
// as it does between speech and comfort noise, but only where the timestamps
// say that time has passed.
func (h header) follows(g header) bool {
	skip, ticks := h.sequence-g.sequence, h.timestamp-g.timestamp
	if h.ssrc != g.ssrc || skip == 0 || skip > maxSkip {
		return false
	}
	return ticks < maxTicks && (h.payloadType == g.payloadType || ticks > 0)
}
