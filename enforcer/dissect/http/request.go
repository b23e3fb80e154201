package http

import (
	"bytes"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// maxUserAgent bounds what is kept of a User-Agent.
const maxUserAgent = 256

// readRequest sets the facts of the first request of a stream that openRequest
// accepted, and says whether its header is whole.
func readRequest(w *dissect.Window, b []byte, f *fact.Facts) (whole bool) {
	b = skipBlank(b)
	n := methodLen(b)
	line, rest, _ := bytes.Cut(b, []byte("\n"))
	line = bytes.TrimRight(line, " \t\r")
	target := line[n:]
	if at := bytes.LastIndexByte(line, ' '); at > n { // HTTP/0.9 has no version
		target = line[n:at]
	}
	target = bytes.TrimSpace(target)

	var h header
	whole = h.read(rest)
	f.Evasive = f.Evasive || h.conflict
	// The host of the target counts, whatever the Host field says (RFC 9112
	// section 3.2.2).
	switch host := targetHost(b[:n], target); {
	case host != nil:
		setHost(f, host)
	case h.conflict:
		f.Hostname, f.By = "", "" // an earlier call may have seen the first only
	default:
		setHost(f, h.host)
	}
	if f.HTTPMethod = methodName(b[:n]); f.HTTPMethod == "" {
		dissect.SetText(&f.HTTPMethod, b[:n])
	}
	f.Protocol = h.protocol(b[:n], target)
	sign(w, h.agent, target, f)
	if w.Want.URL {
		setURL(f, b[:n], target)
	}
	if h.password {
		fact.SetRisk(&f.Risks, fact.RiskCleartextCredentials, true)
	}
	if len(h.agent) > 0 {
		var buf [4 * maxUserAgent]byte
		agent := h.agent[:min(len(h.agent), maxUserAgent)]
		dissect.SetText(&f.UserAgent, dissect.AppendEscaped(buf[:0], agent, '\\'))
	}
	return whole
}

// sign looks for the product that asks by its agent, or is asked by its path. A
// host name that somebody is known by counts more; the classifier sees to that.
func sign(w *dissect.Window, agent, target []byte, f *fact.Facts) {
	path := target
	if rest, absolute := cutScheme(target); absolute {
		path = rest[max(0, bytes.IndexByte(rest, '/')):]
	}
	path, _, _ = bytes.Cut(path, []byte("?"))
	_ = w.Sign(dissect.HTTPAgent, agent, fact.ByHTTP, f) || w.Sign(dissect.HTTPPath, path, fact.ByHTTP, f)
}

// header is what is looked for in a request's header. It aliases the stream.
type header struct {
	host, agent []byte
	kind        []byte // Content-Type
	upgrade     []byte
	password    bool // HTTP Basic: in the clear but for its spelling (RFC 7617)
	conflict    bool // two different Host fields: servers disagree on which counts
	soap        bool // SOAPAction
	icecast     bool // Ice-Name and its like
	empty       bool // Content-Length 0
}

// read reads header lines up to the blank one and says whether that is there.
// A line that the stream cuts off is left for the next time.
func (h *header) read(b []byte) (whole bool) {
	for {
		n := bytes.IndexByte(b, '\n')
		if n < 0 {
			return false
		}
		line := b[:n]
		b = b[n+1:]
		for n > 0 && (isBlank(line[n-1]) || line[n-1] == '\r') {
			n--
		}
		if n == 0 {
			return true
		}
		// Leading blanks make an obsolete folded line (RFC 9112 section 5.2)
		// in the standard, and a field in some servers. 64 KiB of two-byte lines
		// are to be passed over in less than a millisecond.
		line = line[:n]
		if colon := bytes.IndexByte(line, ':'); colon >= len("host") {
			h.field(trimBlanks(line[:colon]), line[colon+1:])
		}
	}
}

// field notes a field that is looked for.
func (h *header) field(name, value []byte) {
	value = trimBlanks(value)
	switch {
	case equalFold(name, "host"):
		h.conflict = h.conflict || h.host != nil && !bytes.EqualFold(h.host, value)
		if h.host == nil {
			h.host = value
		}
	case equalFold(name, "authorization"), equalFold(name, "proxy-authorization"):
		h.password = h.password || len(value) > 6 && equalFold(value[:6], "basic ")
	case equalFold(name, "user-agent") && h.agent == nil:
		h.agent = value
	case equalFold(name, "content-type"):
		h.kind = value
	case equalFold(name, "content-length"):
		h.empty = string(value) == "0"
	case equalFold(name, "upgrade"):
		h.upgrade = value
	case equalFold(name, "soapaction"):
		h.soap = true
	case startsFold(name, "ice-"):
		h.icecast = true
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// trimBlanks takes blanks off both ends.
func trimBlanks(b []byte) []byte {
	for len(b) > 0 && isBlank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isBlank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// equalFold compares ASCII without regard to case; lower is lower case.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// targetHost is the host that a request target names: an absolute URI's, or a
// CONNECT's (RFC 9112 section 3.2); nil when it names none.
func targetHost(method, target []byte) []byte {
	if string(method) == "CONNECT" {
		return target
	}
	scheme, rest, ok := bytes.Cut(target, []byte("://"))
	if !ok || len(scheme) > 5 || !equalFold(scheme, "http") && !equalFold(scheme, "https") && !equalFold(scheme, "ws") && !equalFold(scheme, "wss") {
		return nil
	}
	if end := bytes.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	if at := bytes.LastIndexByte(rest, '@'); at >= 0 { // user information
		rest = rest[at+1:]
	}
	return rest
}

// maxTarget bounds what is kept of a target.
const maxTarget = 512

// setURL sets the host and target of a request, whichever way the target is
// written (RFC 9112 section 3.2). The host is known already.
func setURL(f *fact.Facts, method, target []byte) {
	switch {
	case string(method) == "CONNECT":
		target = nil
	case targetHost(method, target) != nil:
		_, rest, _ := bytes.Cut(target, []byte("://"))
		path := bytes.IndexAny(rest, "/?#")
		if path < 0 {
			path = len(rest)
		}
		target = rest[path:]
	}
	var buf [4*maxTarget + maxTarget]byte
	url := append(buf[:0], f.Hostname...)
	url = dissect.AppendEscaped(url, target[:min(len(target), maxTarget)], '\\')
	dissect.SetText(&f.HTTPURL, url)
}

// setHost sets the host name from host and optional port. Unlike a TLS server
// name, a Host may well be an address; it is then kept in canonical form.
func setHost(f *fact.Facts, host []byte) {
	if inner, rest, ok := bytes.Cut(host, []byte("]")); ok && host[0] == '[' {
		if len(rest) == 0 || rest[0] == ':' {
			dissect.SetAddress(f, inner[1:], fact.ByHTTP)
		}
		return
	}
	if name, port, ok := bytes.Cut(host, []byte(":")); ok {
		if bytes.IndexByte(port, ':') >= 0 {
			return
		}
		host = name
	}
	if !dissect.SetHostname(f, host, fact.ByHTTP) {
		dissect.SetAddress(f, host, fact.ByHTTP)
	}
}
