package bittorrent

import (
	"encoding/hex"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// Tag is the protocol's name in the catalogue.
const Tag = "bittorrent"

// maxLooks bounds how many datagrams are looked at: uTP without a handshake in
// sight needs a packet of each side.
const maxLooks = 8

// The handshake (BEP 3): its fixed opening, eight reserved bytes, the info
// hash, the peer id.
const (
	handshake = "\x13BitTorrent protocol"
	hashAt    = len(handshake) + 8
	hashLen   = 20
)

// Dissector recognises BitTorrent. The zero value is ready.
type Dissector struct{}

// Spec describes the dissector.
func (Dissector) Spec() dissect.Spec {
	return dissect.Spec{Name: Tag, TCP: true, UDP: true, Ports: []uint16{6881, 6882, 6883, 6884, 6885, 6886, 6887, 6888, 6889, 6969, 51413, 6771}}
}

// Dissect looks for the handshake at the start of either direction of a
// stream, and for any of the UDP forms in the first datagrams.
func (Dissector) Dissect(w *dissect.Window, f *fact.Facts) dissect.Result {
	if len(w.Datagrams) > 0 {
		return datagrams(w, f)
	}
	r := dissect.NoMatch
	for side := range w.Stream {
		r = max(r, stream(w.Stream[side], w.Closed[side], f))
	}
	return r
}

// stream judges one direction; f is set only when the handshake is there.
func stream(b []byte, closed bool, f *fact.Facts) dissect.Result {
	n := min(len(b), len(handshake))
	switch {
	case string(b[:n]) != handshake[:n]:
		return dissect.NoMatch
	case n < len(handshake) && closed:
		return dissect.NoMatch
	case n < len(handshake):
		return dissect.NeedMore
	}
	f.Protocol = Tag
	if len(b) >= hashAt+hashLen {
		setHash(f, b[hashAt:hashAt+hashLen])
		return dissect.Match
	}
	if closed {
		return dissect.Match
	}
	return dissect.Partial
}

// setHash writes an info hash as 40 hexadecimal digits.
func setHash(f *fact.Facts, hash []byte) {
	var digits [2 * hashLen]byte
	hex.Encode(digits[:], hash)
	dissect.SetText(&f.BTInfoHash, digits[:])
}

func datagrams(w *dissect.Window, f *fact.Facts) dissect.Result {
	looks := w.Datagrams[:min(len(w.Datagrams), maxLooks)]
	for i := w.Shown; i < len(looks); i++ { // with what was shown before, it was none
		d := looks[i]
		if dht(d.Payload) || discovery(d.Payload) || tracker(d.Payload) || utp(looks[:i], d) {
			f.Protocol = Tag
			if p, ok := parseUTP(d.Payload); ok && holdsHandshake(p.payload) {
				setHash(f, p.payload[hashAt:hashAt+hashLen])
			}
			return dissect.Match
		}
	}
	if len(looks) < maxLooks {
		return dissect.NeedMore
	}
	return dissect.NoMatch
}

func holdsHandshake(b []byte) bool {
	return len(b) >= hashAt+hashLen && string(b[:len(handshake)]) == handshake
}
