package zoom

import (
	"encoding/binary"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// Tag is the protocol's name in the catalogue.
const Tag = "zoom-media"

// maxLooks bounds how many datagrams are looked at. Between participants media
// may follow several STUN messages.
const maxLooks = 16

// Server ports of Zoom's media (Zoom's firewall document: UDP 8801 to 8810).
const (
	firstPort = 8801
	lastPort  = 8810
)

// Dissector recognises Zoom media. The zero value is ready.
type Dissector struct{}

// Spec describes the dissector.
func (Dissector) Spec() dissect.Spec {
	return dissect.Spec{Name: Tag, UDP: true, Ports: []uint16{8801, 8802, 8803, 8804, 8805, 8806, 8807, 8808, 8809, 8810}}
}

// Dissect looks at each of the first datagrams, alone and beside the earlier.
func (Dissector) Dissect(w *dissect.Window, f *fact.Facts) dissect.Result {
	looks := w.Datagrams[:min(len(w.Datagrams), maxLooks)]
	onPort := zoomPort(w.DstPort) || zoomPort(w.SrcPort)
	for i := w.Shown; i < len(looks); i++ { // with what was shown before, it was none
		d := looks[i]
		switch judge(d.Payload) {
		case no:
			continue
		case likely:
			if !onPort && !confirmed(looks[:i], d) {
				continue
			}
		case sure:
		}
		f.Protocol = Tag
		return dissect.Match
	}
	if len(looks) < maxLooks {
		return dissect.NeedMore
	}
	return dissect.NoMatch
}

func zoomPort(p uint16) bool { return p >= firstPort && p <= lastPort }

// belief is how far one datagram alone is to be believed.
type belief uint8

const (
	no belief = iota
	likely
	sure
)

// Types of the server encapsulation.
const (
	typeHello   = 1
	typeWelcome = 2
	typePing    = 3
	typePong    = 4
	typeMedia   = 5
)

// Layout of the server encapsulation.
const (
	sessionAt  = 3 // hello and welcome: 16 bytes
	sessionEnd = 19
	helloLen   = 39 // bytes before the hello's opaque part
	welcomeLen = 35
	pingLen    = 13
	// maxPings bounds a ping's counter: pings are a second apart or more, and
	// the first packets of a flow are looked at.
	maxPings = 1 << 16
)

// judge reads one datagram.
func judge(b []byte) belief {
	if len(b) < pingLen {
		return no
	}
	switch b[0] {
	case typeHello:
		return hello(b)
	case typeWelcome:
		return welcome(b)
	case typePing, typePong:
		if n := binary.BigEndian.Uint32(b[1:]); n > 0 && n < maxPings && !blank(b[5:9]) && !blank(b[9:13]) {
			return likely
		}
		return no
	case typeMedia:
		return max(media(b[8:]), media(b[1:]))
	}
	return media(b)
}

// hello: a flag byte of zero, the session, zero, a small kind, two timestamps
// that are equal in a first packet, and the length of an opaque part that lies
// within the datagram.
func hello(b []byte) belief {
	if len(b) < helloLen || b[1] != 0 || blank(b[sessionAt:sessionEnd]) || !blank(b[19:23]) {
		return no
	}
	kind, sent, resent := binary.BigEndian.Uint32(b[23:]), b[27:31], b[31:35]
	opaque := binary.BigEndian.Uint32(b[35:])
	if kind > 0xff || opaque < 16 || opaque > uint32(len(b)-helloLen) || string(sent) != string(resent) {
		return no
	}
	return sure
}

// welcome: the session, a cookie, the hello's timestamp, then zeros; only a
// hello beside it or the port makes it believed.
func welcome(b []byte) belief {
	if len(b) < welcomeLen || b[1] != 0 || blank(b[sessionAt:sessionEnd]) || blank(b[19:23]) || !blank(b[27:31]) {
		return no
	}
	return likely
}

// confirmed looks for an earlier datagram that d goes with.
func confirmed(before []dissect.Datagram, d dissect.Datagram) bool {
	for _, e := range before {
		if judge(e.Payload) == likely && goesWith(e, d) {
			return true
		}
	}
	return false
}

// goesWith reports that two likely datagrams confirm each other: ping and pong
// of the same 12 bytes, or two media packets of one RTP stream.
func goesWith(e, d dissect.Datagram) bool {
	x, y := e.Payload, d.Payload
	if e.From != d.From {
		return x[0] == typePing && y[0] == typePong && string(x[1:pingLen]) == string(y[1:pingLen])
	}
	if x[0] != y[0] || x[0] == typePing || x[0] == typePong {
		return false
	}
	p, okP := rtpOf(x)
	q, okQ := rtpOf(y)
	return okP && okQ && p.ssrc == q.ssrc && p.payloadType == q.payloadType && q.sequence-p.sequence < maxSkip && q.sequence != p.sequence
}

// maxSkip is how many RTP packets may be missing between two that are seen.
const maxSkip = 64

// blank reports only zeros.
func blank(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
