package tls

import (
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

type dissector struct{}

// New is the dissector of TLS over TCP.
func New() dissect.Dissector { return dissector{} }

// Spec implements dissect.Dissector.
func (dissector) Spec() dissect.Spec {
	return dissect.Spec{Name: "tls", TCP: true, Ports: []uint16{443, 8443, 853, 993, 995, 465, 5061, 5223}}
}

// Dissect implements dissect.Dissector. Either side's bytes suffice, and which
// side is the client is read from the hellos: a flow first seen midway may
// have its ends the wrong way round.
func (dissector) Dissect(w *dissect.Window, f *fact.Facts) dissect.Result {
	a, b := open(w.Stream[dissect.Client]), open(w.Stream[dissect.Server])
	closedA, closedB := w.Closed[dissect.Client], w.Closed[dissect.Server]
	if !a.tls() && !b.tls() {
		if a.kind == kindForeign || b.kind == kindForeign || closedA && closedB {
			return dissect.NoMatch
		}
		return dissect.NeedMore
	}
	swapped := false
	if a.kind == kindServerHello || b.kind == kindClientHello && a.kind != kindClientHello {
		a, b, closedA, closedB = b, a, closedB, closedA
		swapped = true
	}
	answer := readServer(&b)
	clientDone := readClient(&a, closedA, answer.retry, f)
	switch {
	case answer.version != 0:
		answer.set(OverTCP, f)
	case b.empty && a.kind == kindClientHello && belowTLS13(a.hello):
		f.TLSVersion = min(f.TLSVersion, version12)
	}
	f.Protocol = protocol(w, swapped, f.ALPN)
	if len(answer.certificate) > 0 {
		cert := parseCertificate(answer.certificate)
		if cert.isTor() {
			f.Protocol = "tor"
		}
		if !named(f) {
			cert.nameServer(w, f)
		}
		if w.Want.Certificate {
			cert.setFacts(f, w.Time)
		}
	}
	// What comes after the hello matters when nothing has named the server, or
	// when somebody asks for the certificate itself.
	serverDone := answer.done || answer.version != 0 && named(f) && !w.Want.Certificate && !mayBeTor(f)
	if (clientDone || closedA || a.empty && b.kind == kindMidstream) &&
		(serverDone || closedB || b.empty && a.kind == kindMidstream) {
		return dissect.Match
	}
	return dissect.Partial
}

// named says that the client has said whom it asks for. An address, which is not
// allowed as a server name (RFC 6066 section 3) and is sent nevertheless, says
// no more than the packets do.
func named(f *fact.Facts) bool { return f.Hostname != "" && !dissect.IsAddress(f.Hostname) }

// readClient sets the facts of the client's hello and says whether the
// client's side has no more to tell. closed says that no more bytes come, and
// retry that the server asked for a second hello.
func readClient(o *opening, closed, retry bool, f *fact.Facts) (done bool) {
	if o.kind != kindClientHello {
		return o.kind == kindForeign || o.settled
	}
	if o.sslv2 {
		f.TLSVersion = knownVersion(uint16(o.hello[3])<<8 | uint16(o.hello[4]))
		return true
	}
	m := messages{rest: o.hello}
	typ, body, whole := m.next()
	if !whole {
		if closed && typ == typeClientHello {
			parseCutHello(body, f)
		}
		return m.ended
	}
	if typ != typeClientHello || !parseHello(body, OverTCP, f) || !retry {
		return true
	}
	// The server asked for another hello (RFC 8446 section 4.1.4) and goes on
	// with that one, so its name counts even if an evader changed it.
	typ, body, whole = m.next()
	if whole && typ == typeClientHello {
		second := fact.Facts{JA4: f.JA4} // that of the first hello stays
		if parseHello(body, OverTCP, &second) && second.Hostname != "" {
			f.Evasive = f.Evasive || f.Hostname != second.Hostname
			f.Hostname, f.By = second.Hostname, second.By
		}
		return true
	}
	return whole || m.ended
}

// answer is what the server's side told.
type answer struct {
	version     int    // chosen; 0 until the ServerHello is there
	cipher      int    // chosen; valid iff version is
	alpn        []byte // chosen; aliases the stream or a copy
	retry       bool   // the hello asks for another client hello
	wire        uint16 // the version as it was written
	extensions  [maxAnswered]uint16
	count       int    // of extensions; those past maxAnswered are counted only
	certificate []byte // the first of the chain, DER; aliases the stream or a copy
	done        bool   // the server's side has no more to tell
}

// readServer reads the server's opening up to its certificate.
func readServer(o *opening) answer {
	var a answer
	if o.kind != kindServerHello {
		a.done = o.kind == kindForeign || o.settled
		return a
	}
	m := messages{rest: o.hello}
	typ, body, whole := m.next()
	if !whole || typ != typeServerHello || !parseServerHello(body, &a) {
		a.done = whole || m.ended
		return a
	}
	// From TLS 1.3 on the certificate is encrypted (RFC 8446 section 2).
	for a.version < version13 {
		typ, body, whole = m.next()
		if m.sealed {
			break // a resumed session has no certificate
		}
		if typ == typeCertificate {
			a.certificate = firstCertificate(body)
		}
		if a.certificate != nil || m.ended {
			break
		}
		if !whole {
			return a
		}
		if typ == typeServerHelloDone {
			break
		}
	}
	a.done = true
	return a
}
