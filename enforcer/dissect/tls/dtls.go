package tls

import (
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

type dtlsDissector struct{}

// NewDTLS is the dissector of DTLS over UDP.
func NewDTLS() dissect.Dissector { return dtlsDissector{} }

// Spec implements dissect.Dissector.
func (dtlsDissector) Spec() dissect.Spec {
	return dissect.Spec{Name: "dtls", UDP: true, Ports: []uint16{443, 4433, 5684}}
}

// maxDTLSHello bounds a reassembled hello, and so the memory a client that
// claims a long one can cost.
const maxDTLSHello = 1 << 14

// maxYoungEpoch bounds how often a young connection has changed its keys.
const maxYoungEpoch = 3

// Dissect implements dissect.Dissector. The first datagram must be DTLS.
func (dtlsDissector) Dissect(w *dissect.Window, f *fact.Facts) dissect.Result {
	if len(w.Datagrams) == 0 {
		return dissect.NeedMore
	}
	return ReadDTLS(w, w.Datagrams, f)
}

// ReadDTLS reads a session from its first datagram on; datagrams between its
// own are passed over, so that a caller may have found it behind another
// protocol. It says NoMatch when the first is not DTLS.
func ReadDTLS(w *dissect.Window, datagrams []dissect.Datagram, f *fact.Facts) dissect.Result {
	first := dissect.NewCursor(datagrams[0].Payload)
	rec, ok := dtlsRecord(&first)
	if !ok {
		return dissect.NoMatch
	}
	f.Protocol = "dtls"
	if rec.typ != recordHandshake || rec.epoch != 0 {
		return dissect.Match // midstream, or a lone alert
	}
	var hello assembly
	for _, d := range datagrams {
		for c := dissect.NewCursor(d.Payload); c.Len() > 0; {
			r, ok := dtlsRecord(&c)
			if !ok {
				break
			}
			// Records of a later epoch are encrypted: the hellos are over.
			if r.epoch != 0 || r.typ == recordHandshake && hello.read(r.body, f) {
				if r.epoch == 0 && !named(f) && f.TLSVersion < version13 {
					nameByDTLS(w, c, f)
				}
				return dissect.Match
			}
		}
	}
	return dissect.Partial
}

// nameByDTLS reads the certificate that follows a server's hello in its datagram. It is not waited
// for: in calls, which are most of DTLS, it is made up for the call (RFC 8827
// section 5.6) and names nobody.
func nameByDTLS(w *dissect.Window, c dissect.Cursor, f *fact.Facts) {
	for c.Len() > 0 {
		r, ok := dtlsRecord(&c)
		if !ok || r.typ != recordHandshake || r.epoch != 0 {
			return
		}
		m := dissect.NewCursor(r.body)
		typ := m.Uint8()
		m.Skip(5) // length, message number
		offset, part := m.Uint24(), m.Vector24()
		if typ != typeCertificate || offset != 0 || !part.OK() {
			continue
		}
		if der := firstCertificate(part.Rest()); der != nil {
			cert := parseCertificate(der)
			cert.nameServer(w, f)
		}
		return
	}
}

// dtlsRecordHeader is a record of DTLS up to 1.2 (RFC 6347 section 4.1), the
// form of every first flight.
type dtlsRecordHeader struct {
	typ   byte
	epoch uint16
	body  []byte
}

func dtlsRecord(c *dissect.Cursor) (dtlsRecordHeader, bool) {
	var r dtlsRecordHeader
	r.typ = c.Uint8()
	version := c.Uint16()
	r.epoch = c.Uint16()
	sequence := c.Bytes(6)
	body := c.Vector16()
	if !c.OK() || body.Len() == 0 || body.Len() > maxRecord {
		return r, false
	}
	switch version {
	case versionDTLS10, versionDTLS12, versionDTLS13:
	case versionDTLSBad:
		// That is thin evidence: ask for a young connection's numbers and, in
		// encrypted records, for one that fills its datagram.
		if r.epoch > maxYoungEpoch || sequence[0]|sequence[1] != 0 || r.epoch > 0 && c.Len() > 0 {
			return r, false
		}
	default:
		return r, false
	}
	r.body = body.Rest()
	return r, r.typ >= recordChangeCipherSpec && r.typ <= recordApplicationData
}

// maxHelloMessage is the last message number a client hello may have: 0, 1
// after a HelloVerifyRequest and 2 after a HelloRetryRequest.
const maxHelloMessage = 2

// assembly puts together the client's hello from its fragments, which come in
// any order and may overlap (RFC 6347 section 4.2.3).
type assembly struct {
	message uint16 // sequence number of the message being assembled
	buf     []byte
	have    []bool
	missing int
}

// read reads the handshake fragments of one record body and says whether the
// server's hello was among them, after which nothing more is told.
func (a *assembly) read(body []byte, f *fact.Facts) (done bool) {
	for c := dissect.NewCursor(body); c.Len() > 0; {
		typ, length, message := c.Uint8(), c.Uint24(), c.Uint16()
		offset, part := c.Uint24(), c.Vector24()
		if !part.OK() || length > maxDTLSHello || offset+part.Len() > length {
			return false
		}
		switch typ {
		case typeClientHello:
			if part.Len() == length {
				parseHello(part.Rest(), OverDTLS, f)
			} else if a.add(message, offset, length, part.Rest()) {
				parseHello(a.buf, OverDTLS, f)
			}
		case typeServerHello:
			var s answer
			if part.Len() == length && parseServerHello(part.Rest(), &s) {
				s.set(OverDTLS, f)
				return true
			}
		}
	}
	return false
}

// add places a fragment and says whether the message is complete now. A higher
// message number starts anew, for the client sends its hello again with a
// cookie; so a flow costs three buffers at most, whatever numbers it claims.
func (a *assembly) add(message uint16, offset, length int, part []byte) bool {
	switch {
	case message > maxHelloMessage:
		return false
	case a.buf == nil || message > a.message:
		a.message, a.missing = message, length
		a.buf, a.have = make([]byte, length), make([]bool, length)
	case message < a.message || length != len(a.buf) || a.missing == 0:
		return false
	}
	for i, b := range part {
		if !a.have[offset+i] { // of two versions of a byte the first counts
			a.have[offset+i] = true
			a.buf[offset+i] = b
			a.missing--
		}
	}
	return a.missing == 0
}
