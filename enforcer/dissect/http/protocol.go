package http

import "bytes"

// protocol names what a request is for: "http", or a protocol of its own that
// HTTP carries. The strongest sign comes first: what the connection becomes,
// then what the body is, then what is asked for.
func (h *header) protocol(method, target []byte) string {
	if p := byMethod(string(method)); p != "" {
		return p
	}
	if startsFold(h.upgrade, "websocket") { // RFC 6455 section 4.1
		return "websocket"
	}
	if p := byContent(h.kind); p != "" {
		return p
	}
	path := target
	if rest, absolute := cutScheme(target); absolute {
		// Only a proxy is asked for a whole URI (RFC 9112 section 3.2.2).
		if startsFold(target, "http") {
			return "http-proxy"
		}
		path = rest
	}
	if h.icecast { // Icecast 2: what a source says of its stream, with PUT
		return "icecast"
	}
	if h.soap { // SOAP 1.1 section 6.1.1
		return "soap"
	}
	return byPath(path)
}

// byMethod knows the methods that belong to one protocol.
func byMethod(method string) string {
	switch method {
	case "CONNECT": // RFC 9110 section 9.3.6
		return "http-connect"
	case "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK": // RFC 4918 section 9
		return "webdav"
	case "RPC_IN_DATA", "RPC_OUT_DATA", "RPC_CONNECT": // MS-RPCH 2.1.2.1
		return "rpc-over-http"
	case "SSTP_DUPLEX_POST": // MS-SSTP 3.2.4.1
		return "sstp"
	case "SOURCE": // Icecast 2 source client
		return "icecast"
	}
	return ""
}

// byContent knows media types that belong to one protocol.
func byContent(kind []byte) string {
	switch kind, _, _ := bytes.Cut(kind, []byte(";")); {
	case equalFold(kind, "application/ipp"): // RFC 8010 section 4
		return "ipp"
	case equalFold(kind, "application/ocsp-request"): // RFC 6960 appendix A.1
		return "ocsp"
	case equalFold(kind, "application/dns-message"): // RFC 8484 section 6
		return "doh"
	case equalFold(kind, "application/x-fcs"): // Adobe RTMP, tunnelled
		return "rtmp"
	case equalFold(kind, "application/soap+xml"): // SOAP 1.2 part 2 section 7
		return "soap"
	}
	return ""
}

// byPath knows the names that streams and services are asked for by.
func byPath(path []byte) string {
	path, query, _ := bytes.Cut(path, []byte("?"))
	switch {
	case bytes.HasPrefix(query, []byte("info_hash=")), bytes.Contains(query, []byte("&info_hash=")): // BEP 3
		return "bittorrent"
	case bytes.HasSuffix(path, []byte(".m3u8")): // RFC 8216 section 4
		return "hls"
	case bytes.HasSuffix(path, []byte(".mpd")): // ISO/IEC 23009-1 annex C
		return "mpeg-dash"
	case bytes.Equal(path, []byte("/wsman")): // MS-WSMV 2.1
		return "winrm"
	}
	return "http"
}

// cutScheme gives what follows "scheme://".
func cutScheme(target []byte) (rest []byte, ok bool) {
	if len(target) > 0 && target[0] == '/' {
		return nil, false
	}
	_, rest, ok = bytes.Cut(target, []byte("://"))
	return rest, ok
}

// startsFold compares the beginning of b with ASCII in lower case.
func startsFold(b []byte, lower string) bool {
	return len(b) >= len(lower) && equalFold(b[:len(lower)], lower)
}

// answered names what a server's answer alone tells.
func answered(b []byte) string {
	const switching = "HTTP/1.1 101"
	if len(b) < len(switching) || string(b[:len(switching)]) != switching {
		return "http"
	}
	var h header
	_, rest, _ := bytes.Cut(b, []byte("\n"))
	h.read(rest)
	if startsFold(h.upgrade, "websocket") {
		return "websocket"
	}
	return "http"
}
