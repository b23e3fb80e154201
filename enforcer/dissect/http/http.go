package http

import (
	"bytes"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

type dissector struct{}

// New is the dissector of HTTP.
func New() dissect.Dissector { return dissector{} }

// Spec implements dissect.Dissector.
func (dissector) Spec() dissect.Spec {
	return dissect.Spec{Name: "http", TCP: true, Ports: []uint16{80, 8080, 8000, 8008, 3128, 8888, 81}}
}

// preface opens every HTTP/2 connection (RFC 9113 section 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// opening is what a stream opens with.
type opening uint8

const (
	foreign   opening = iota // no HTTP
	undecided                // too few bytes
	request
	response
	http2
)

// Dissect implements dissect.Dissector. Which side is the client is read from
// the bytes: a flow first seen midway may have its ends the wrong way round.
func (dissector) Dissect(w *dissect.Window, f *fact.Facts) dissect.Result {
	a, b := open(w.Stream[dissect.Client]), open(w.Stream[dissect.Server])
	client := dissect.Client
	if a != request && b == request {
		client = dissect.Server
	}
	requests, closed := w.Stream[client], w.Closed[client]
	switch {
	case a == http2 || b == http2:
		f.Protocol = "http2"
		return dissect.Match
	case a == request || b == request:
		whole := readRequest(w, requests, f)
		if whole && f.HTTPMethod == "CONNECT" {
			return readTunnel(w, client, f)
		}
		if (whole || closed) && !awaits(w, client, f) {
			return dissect.Match
		}
		return dissect.Partial
	case a == response || b == response:
		server := dissect.Server
		if a == response {
			server = dissect.Client
		}
		f.Protocol = answered(w.Stream[server])
		if w.Closed[dissect.Client] || w.Closed[dissect.Server] {
			return dissect.Match
		}
		return dissect.Partial
	case a == foreign || b == foreign || w.Closed[dissect.Client] && w.Closed[dissect.Server]:
		return dissect.NoMatch
	}
	return dissect.NeedMore
}

// maxLine bounds a request line that is waited for (RFC 9112 section 3 asks
// servers for 8000 at least).
const maxLine = 1 << 14

// open classifies the opening of a stream. It does not allocate.
func open(b []byte) opening {
	if len(b) == 0 {
		return undecided
	}
	if n := min(len(b), len(preface)); string(b[:n]) == preface[:n] {
		if n == len(preface) {
			return http2
		}
		return undecided
	}
	if b[0] == 0 {
		return openSettings(b)
	}
	b = skipBlank(b)
	if n := min(len(b), len("HTTP/1.")); string(b[:n]) == "HTTP/1."[:n] {
		if n == len("HTTP/1.") {
			return response
		}
		return undecided
	}
	return openRequest(b)
}

// openSettings judges what a server of HTTP/2 sends first: a SETTINGS frame of the
// connection, of entries of six bytes (RFC 9113 sections 3.4, 4.1, 6.5).
func openSettings(b []byte) opening {
	const header = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	for i := range min(len(b), len(header)) {
		if i != 2 && b[i] != header[i] {
			return foreign
		}
	}
	switch {
	case len(b) > 2 && (b[2]%6 != 0 || b[2] == 0):
		return foreign
	case len(b) < len(header)+2:
		return undecided
	case b[len(header)] != 0 || b[len(header)+1] == 0 || b[len(header)+1] > maxSetting:
		return foreign
	}
	return http2
}

// maxSetting is the highest number of a setting that is registered (IANA HTTP/2
// Settings; 16 is of certificates that were never deployed).
const maxSetting = 9

// maxBlank bounds the blank lines before a request (RFC 9112 section 2.2: a
// server should ignore at least one).
const maxBlank = 8

func skipBlank(b []byte) []byte {
	for range maxBlank {
		if len(b) == 0 || b[0] != '\r' && b[0] != '\n' {
			break
		}
		b = b[1:]
	}
	return b
}

// openRequest judges a request line: a method, a target and HTTP/1. The line
// ends are read as RFC 9112 section 2.2 allows: LF alone will do.
func openRequest(b []byte) opening {
	n := methodLen(b)
	switch {
	case n < 0:
		return foreign
	case n == 0:
		return undecided
	}
	line, _, whole := bytes.Cut(b, []byte("\n"))
	if !whole {
		if len(line) > maxLine {
			return foreign
		}
		return undecided
	}
	line = bytes.TrimRight(line, " \t\r")
	at := bytes.LastIndexByte(line, ' ')
	switch {
	case at > n && bytes.HasPrefix(line[at+1:], []byte("HTTP/1.")):
		return request
	case at == n && string(line[:n+2]) == "GET /":
		return request // HTTP/0.9 (RFC 1945 section 4.1)
	}
	return foreign
}

// methods are those of the IANA registry (RFC 9110 section 16.1) and of UPnP
// and other deployed users of HTTP.
var methods = [...]string{
	"GET", "POST", "HEAD", "PUT", "OPTIONS", "CONNECT", "DELETE", "PATCH", "TRACE",
	"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "SEARCH", "REPORT",
	"ACL", "BIND", "REBIND", "UNBIND", "CHECKIN", "CHECKOUT", "LABEL", "LINK", "UNLINK",
	"MERGE", "MKACTIVITY", "MKCALENDAR", "MKREDIRECTREF", "MKWORKSPACE", "ORDERPATCH", "QUERY",
	"UNCHECKOUT", "UPDATE", "UPDATEREDIRECTREF", "VERSION-CONTROL", "BASELINE-CONTROL",
	"NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "M-SEARCH", "PURGE", "SOURCE",
	"RPC_IN_DATA", "RPC_OUT_DATA", "RPC_CONNECT", "BITS_POST", "CCM_POST", "SSTP_DUPLEX_POST",
}

// maxMethod bounds a method that is no registered one.
const maxMethod = 24

// methodLen is the length of the method b starts with, 0 when b may be the
// beginning of one, -1 when it is none. Any token may be a method (RFC 9110 section
// 9.1), and programs write registered ones in lower case; one that is not in the
// table must have a target behind it that nothing but HTTP has in its place.
func methodLen(b []byte) int {
	n := 0
	for n < len(b) && n <= maxMethod && methodByte(b[n]) {
		n++
	}
	switch {
	case n == 0 || n > maxMethod:
		return -1
	case n == len(b):
		return 0
	case b[n] != ' ' && b[n] != '\t':
		return -1
	case methodName(b[:n]) != "":
		return n
	case n+1 == len(b):
		return 0
	case b[n+1] == '/' || b[n+1] == '*':
		return n
	}
	return -1
}

// methodByte says whether methods are written with c.
func methodByte(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || c == '-' || c == '_'
}

// methodName is a method as the table has it, which costs no memory; "" for others.
func methodName(b []byte) string {
	for _, m := range methods {
		if string(b) == m {
			return m
		}
	}
	return ""
}
