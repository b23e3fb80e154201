package fixed

import (
	"bytes"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// xmppEnds: the element by which the client asks for TLS, and the one by which
// the server agrees (RFC 6120 section 5.4.2). A client that logs in before it
// asks will not ask any more (section 5.3.1).
func xmppEnds(w *dissect.Window, f *fact.Facts) ends {
	c := w.Stream[dissect.Client]
	c = c[:min(len(c), maxSearch)]
	asked, agreed := elementEnd(c, "starttls"), elementEnd(w.Stream[dissect.Server], "proceed")
	if auth := bytes.Index(c, []byte("<auth")); asked == 0 && auth >= 0 {
		if tag, _, whole := bytes.Cut(c[auth:], []byte(">")); whole {
			plain := bytes.Contains(tag, []byte("'PLAIN'")) || bytes.Contains(tag, []byte("\"PLAIN\""))
			fact.SetRisk(&f.Risks, fact.RiskCleartextCredentials, plain && w.Want.Login)
			return ends{none: true}
		}
	}
	return ends{at: [2]int{asked, agreed}, known: asked > 0 && agreed > 0, none: len(c) == maxSearch && asked == 0}
}

// elementEnd is where the first element of the name ends, 0 while it does not:
// an empty element's tag, or its closing one.
func elementEnd(b []byte, name string) int {
	b = b[:min(len(b), maxSearch)]
	var buf [16]byte
	open := append(append(buf[:0], '<'), name...)
	at := bytes.Index(b, open)
	if at < 0 {
		return 0
	}
	n := bytes.IndexByte(b[at:], '>')
	if n < 0 {
		return 0
	}
	end := at + n + 1
	if b[end-2] == '/' {
		return end
	}
	closing := append(append(buf[:0], "</"...), name...)
	n = bytes.Index(b[end:], append(closing, '>'))
	if n < 0 {
		return 0
	}
	return end + n + len(closing) + 1
}
