package http

import (
	"bytes"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/tls"
	"github.com/netpol/netpol/lang/fact"
)

// maxAnswer bounds a proxy's answer to CONNECT.
const maxAnswer = 1 << 14

// readTunnel reads the TLS that begins behind a CONNECT and its answer (RFC
// 9110 section 9.3.6). The flow keeps its name: http-connect.
func readTunnel(w *dissect.Window, client dissect.Side, f *fact.Facts) dissect.Result {
	server := 1 - client
	asked, _ := headerEnd(w.Stream[client])
	answered, whole := headerEnd(w.Stream[server])
	closed := w.Closed[client] || w.Closed[server]
	if refused(w.Stream[server]) || closed && len(w.Stream[client]) == asked {
		return dissect.Match
	}
	if !whole && len(w.Stream[client]) == asked {
		if answered > maxAnswer {
			return dissect.Match
		}
		return dissect.Partial
	}
	sub := w.Inside()
	sub.Stream[client], sub.Stream[server] = w.Stream[client][asked:], w.Stream[server][answered:]
	outer := f.Protocol
	r := tls.New().Dissect(&sub, f)
	f.Protocol = outer
	switch r {
	case dissect.NeedMore:
		return dissect.Partial
	case dissect.NoMatch:
		return dissect.Match
	case dissect.Partial, dissect.Match:
	}
	return r
}

// headerEnd is where the first header ends, the end of b while it has not.
func headerEnd(b []byte) (end int, whole bool) {
	for at := 0; at < len(b); {
		n := bytes.IndexByte(b[at:], '\n')
		if n < 0 {
			break
		}
		line := bytes.TrimRight(b[at:at+n], " \t\r")
		at += n + 1
		if len(line) == 0 && at > len("\r\n\r\n") {
			return at, true
		}
	}
	return len(b), false
}

// refused says that an answer has another status than success.
func refused(b []byte) bool {
	const status = len("HTTP/1.1 ")
	return len(b) > status && b[status] != '2'
}
