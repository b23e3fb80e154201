package fixed

import (
	"bytes"
	"encoding/binary"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/http"
	"github.com/netpol/netpol/enforcer/dissect/tls"
	"github.com/netpol/netpol/lang/fact"
)

// inside reads what a stream goes on with behind the opening of another
// protocol: TLS or HTTP, from a byte of each direction on. It sets their facts,
// and leaves the protocol as it is: that names the flow.
func inside(w *dissect.Window, from [2]int, f *fact.Facts) dissect.Result {
	outer := f.Protocol
	sub := w.Inside()
	for side := range sub.Stream {
		sub.Stream[side] = w.Stream[side][min(from[side], len(w.Stream[side])):]
	}
	best := dissect.NoMatch
	for _, d := range [...]dissect.Dissector{tls.New(), http.New()} {
		r := d.Dissect(&sub, f)
		f.Protocol = outer
		if r >= dissect.Partial {
			return r
		}
		best = max(best, r)
	}
	if best == dissect.NeedMore {
		return dissect.Partial
	}
	return dissect.Match
}

// maxSearch bounds where a server's TLS is looked for behind its answers.
const maxSearch = 1 << 14

// tlsLine is where a record of TLS begins a line, or the end: nothing inside
// has come yet.
func tlsLine(b []byte) int {
	for at := 0; at < min(len(b), maxSearch); {
		if b[at] == 0x16 {
			return at
		}
		n := bytes.IndexByte(b[at:], '\n')
		if n < 0 {
			break
		}
		at += n + 1
	}
	return len(b)
}

// ends are where the opening of each direction ends; known says of both that
// it does.
type ends struct {
	at    [2]int
	known bool
	none  bool // nothing is inside, whatever follows
}

// readInside reads what is inside a flow of the protocol.
func readInside(tag string, w *dissect.Window, f *fact.Facts) dissect.Result {
	var e ends
	switch tag {
	case "rdp":
		e = rdpEnds(w)
	case "postgresql":
		e = postgresEnds(w)
	case "mysql":
		e = mysqlEnds(w)
	case "ldap", "ldaps":
		e = ldapEnds(w)
	case "proxy-protocol":
		e = proxyEnds(w.Stream[dissect.Client])
	case "socks":
		e = socksEnds(w, f)
	case "xmpp":
		e = xmppEnds(w, f)
	}
	closed := w.Closed[dissect.Client] || w.Closed[dissect.Server]
	switch {
	case e.none, !e.known && closed:
		return dissect.Match
	case !e.known, len(w.Stream[dissect.Client]) <= e.at[dissect.Client] && !closed:
		return dissect.Partial
	}
	r := inside(w, e.at, f)
	if tag == "ldap" && f.TLSVersion != 0 {
		f.Protocol = "ldaps"
	}
	return r
}

// rdpEnds: both sides open with one TPKT (RFC 1006 section 6), the client's
// with a negotiation request for TLS at its end (MS-RDPBCGR 2.2.1.1.1).
func rdpEnds(w *dissect.Window) (e ends) {
	c, s := w.Stream[dissect.Client], w.Stream[dissect.Server]
	n := tpkt(c)
	if n > 0 && len(c) >= n {
		request := c[:n]
		if n < 19 || request[n-8] != 1 || binary.LittleEndian.Uint16(request[n-6:]) != 8 || request[n-4] == 0 {
			return ends{none: true}
		}
	}
	m := tpkt(s)
	return ends{at: [2]int{n, m}, known: n > 0 && len(c) >= n && m > 0 && len(s) >= m, none: n < 0 || m < 0}
}

// tpkt is the length that a TPKT announces: 0 while it is not there, -1 when
// it is none.
func tpkt(b []byte) int {
	switch {
	case len(b) > 0 && b[0] != 3:
		return -1
	case len(b) < 4:
		return 0
	}
	return int(binary.BigEndian.Uint16(b[2:]))
}

// postgresEnds: a request of eight bytes, and the answer 'S' (PostgreSQL
// message flow, section SSL Session Encryption).
func postgresEnds(w *dissect.Window) ends {
	const request = "\x00\x00\x00\x08\x04\xd2\x16\x2f"
	c, s := w.Stream[dissect.Client], w.Stream[dissect.Server]
	if n := min(len(c), len(request)); string(c[:n]) != request[:n] || len(s) > 0 && s[0] != 'S' {
		return ends{none: true}
	}
	return ends{at: [2]int{len(request), 1}, known: len(s) > 0}
}

// mysqlEnds: the server's greeting, and a request of 32 bytes with the flag for
// TLS (MySQL protocol, SSLRequest).
func mysqlEnds(w *dissect.Window) ends {
	const (
		requestLen = 32
		flagSSL    = 0x08 // of the second byte of the capabilities
	)
	c, s := w.Stream[dissect.Client], w.Stream[dissect.Server]
	if len(c) >= 6 && (c[0] != requestLen || c[1]|c[2] != 0 || c[5]&flagSSL == 0) {
		return ends{none: true}
	}
	if len(s) < 4 || len(c) < 6 {
		return ends{}
	}
	greeting := 4 + int(s[0]) + int(s[1])<<8
	return ends{at: [2]int{4 + requestLen, greeting}, known: len(s) >= greeting}
}

// ldapEnds: the StartTLS operation and its answer (RFC 4511 section 4.14).
func ldapEnds(w *dissect.Window) ends {
	c, s := w.Stream[dissect.Client], w.Stream[dissect.Server]
	n, m := berEnd(c), berEnd(s)
	if n < 0 || m < 0 || n > 0 && len(c) >= n && !bytes.Contains(c[:n], []byte("1.3.6.1.4.1.1466.20037")) {
		return ends{none: true}
	}
	return ends{at: [2]int{n, m}, known: n > 0 && len(c) >= n && m > 0 && len(s) >= m}
}

// berEnd is where the first message ends: 0 while its length is not there, -1
// when it is too long to be an operation of a few bytes.
func berEnd(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	n, at := int(b[1]), 2
	if n >= 0x80 {
		at = 2 + n&0x7f
		if at > 6 {
			return -1
		}
		if len(b) < at {
			return 0
		}
		n = 0
		for _, c := range b[2:at] {
			n = n<<8 | int(c)
		}
	}
	if n > maxLogin {
		return -1
	}
	return at + n
}

// proxyEnds: one line of at most 107 bytes, or the header of version 2 with its
// length (HAProxy PROXY protocol sections 2.1, 2.2). Only the client sends it.
func proxyEnds(b []byte) ends {
	const maxProxyLine, header = 107, 16
	if len(b) > 0 && b[0] == 'P' {
		end := bytes.IndexByte(b[:min(len(b), maxProxyLine)], '\n')
		return ends{at: [2]int{end + 1, 0}, known: end >= 0, none: end < 0 && len(b) >= maxProxyLine}
	}
	if len(b) < header {
		return ends{}
	}
	end := header + int(binary.BigEndian.Uint16(b[14:]))
	return ends{at: [2]int{end, 0}, known: len(b) >= end}
}
