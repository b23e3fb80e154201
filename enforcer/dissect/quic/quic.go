package quic

import (
	"bytes"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/tls"
	"github.com/netpol/netpol/lang/fact"
)

const (
	// maxInitials bounds the packets decrypted in one call. A hello takes one
	// to four; a datagram can claim dozens.
	maxInitials = 16
	// maxJunk is how many datagrams that are no QUIC may come before a
	// client's first Initial on port 443, where servers drop them silently:
	// some clients send junk first to blind inspectors.
	maxJunk = 4
	port    = 443
	// versionTLS13 is the only version of TLS in QUIC (RFC 9001 section 4.2).
	versionTLS13 = 0x0304
)

type dissector struct{}

// New is the dissector of QUIC.
func New() dissect.Dissector { return dissector{} }

// Spec implements dissect.Dissector.
func (dissector) Spec() dissect.Spec {
	return dissect.Spec{Name: "quic", UDP: true, Ports: []uint16{port, 8443, 784, 853, 4433}}
}

// Dissect implements dissect.Dissector. The first datagram with a QUIC header
// decides; what follows is read until the client's hello is whole.
func (dissector) Dissect(w *dissect.Window, f *fact.Facts) dissect.Result {
	first := -1
	for i, d := range w.Datagrams {
		if isQUIC(d.Payload) {
			first = i
			break
		}
		if w.DstPort != port || i+1 == maxJunk {
			return dissect.NoMatch
		}
	}
	if first < 0 {
		return dissect.NeedMore
	}
	f.Protocol = "quic"
	setVersion(f, headerVersion(w.Datagrams[first].Payload))
	if d := w.Datagrams[first]; isGoogleHeader(d.Payload) {
		return dissectGoogle(w.Datagrams[first:], f)
	}
	var r reader
	for _, d := range w.Datagrams[first:] {
		r.read(d.Payload)
		if r.finish(f) {
			f.Protocol = protocol(f.ALPN)
			return dissect.Match
		}
	}
	return dissect.Partial
}

// protocol names what runs over QUIC: what the client offers, where that is a
// protocol of its own. HTTP/3 is what QUIC is for, and has no other name here.
func protocol(alpn string) string {
	if p := tls.ALPNProtocol(alpn); p != "" {
		return p
	}
	return "quic"
}

// isQUIC says whether a datagram is QUIC for sure. It does not allocate.
func isQUIC(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	if b[0]&0x80 == 0 {
		return isGoogleHeader(b)
	}
	c := dissect.NewCursor(b)
	_, ok := readLong(&c)
	return ok || isNegotiation(b) || isProbe(b) || isGoogleHeader(b)
}

// maxConnections bounds the key sets of one flow: the first destination id's,
// one after a Retry, one after version negotiation, and one for a decoy.
const maxConnections = 4

// reader opens the client's Initial packets of a flow.
type reader struct {
	connections []connection
	opened      int
	scratch     []byte
}

// connection is what belongs to one first destination id.
type connection struct {
	version uint32
	dcid    []byte
	keys    *keys
	hello   hello
}

// read opens the Initial packets of one datagram.
func (r *reader) read(b []byte) {
	for c := dissect.NewCursor(b); c.Len() > 0 && r.opened < maxInitials; {
		h, ok := readLong(&c)
		if !ok {
			return
		}
		if h.typ == typeInitial {
			r.opened++
			r.open(&h)
		}
	}
}

// open decrypts an Initial and reads its frames. The keys come from the first
// destination id and stay when the client takes up the server's id, but change
// after a Retry or version negotiation (RFC 9001 section 5.2): then they come
// from the packet's own header. Each set of keys has its own stream, so that a
// decoy between two packets of a hello cannot break it. The server's packets
// open with none, and carry no hello of a client.
func (r *reader) open(h *longHeader) {
	if r.scratch == nil {
		r.scratch = make([]byte, 0, len(h.packet))
	}
	for i := range r.connections {
		c := &r.connections[i]
		if c.version != h.version {
			continue
		}
		if frames, ok := c.keys.open(h, r.scratch); ok {
			c.hello.readFrames(frames)
			return
		}
		if bytes.Equal(c.dcid, h.dcid) {
			return
		}
	}
	fam, ok := familyOf(h.version)
	if !ok || len(r.connections) == maxConnections {
		return
	}
	k, ok := initialKeys(fam, h.dcid, clientIn)
	if !ok {
		return
	}
	if frames, ok := k.open(h, r.scratch); ok {
		c := connection{version: h.version, dcid: h.dcid, keys: k}
		c.hello.readFrames(frames)
		r.connections = append(r.connections, c)
	}
}

// finish sets the facts of the first hello that is whole, if any is.
func (r *reader) finish(f *fact.Facts) bool {
	for i := range r.connections {
		s := &r.connections[i].hello
		version := r.connections[i].version
		f.Evasive = f.Evasive || s.differ
		if s.isGoogle() {
			setVersion(f, version)
			dissect.SetHostname(f, tagValue(s.buf, "SNI\x00"), fact.BySNI)
			return true
		}
		if msg := s.message(); msg != nil {
			if tls.ParseClientHello(msg, tls.OverQUIC, f) {
				setVersion(f, version)
				f.TLSVersion = versionTLS13
			}
			return true
		}
	}
	return false
}
