package http

import (
	"encoding/binary"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

// carriedCases are protocols that HTTP carries.
func carriedCases() []dissecttest.Case {
	one := func(tag, method, target, fields string) dissecttest.Case {
		in := method + " " + target + " HTTP/1.1\r\nHost: a.test\r\n" + fields + "\r\n"
		return dissecttest.Case{
			Name: tag + " " + method + " " + target + " " + fields, In: dissecttest.TCP(80, dissecttest.Client(in)), Result: dissect.Match,
			Want: fact.Facts{Protocol: tag, Hostname: "a.test", By: fact.ByHTTP, HTTPMethod: method},
		}
	}
	return []dissecttest.Case{
		one("websocket", "GET", "/chat", "Connection: Upgrade\r\nUpgrade: WebSocket\r\n"),
		one("http", "GET", "/chat", "Upgrade: h2c\r\n"),
		one("ipp", "POST", "/ipp/print", "Content-Type: application/ipp\r\n"),
		one("ocsp", "POST", "/", "Content-Type: application/ocsp-request\r\n"),
		one("doh", "POST", "/dns-query", "content-type: application/dns-message\r\n"),
		one("soap", "POST", "/x", "Content-Type: application/soap+xml; charset=utf-8\r\n"),
		one("soap", "POST", "/x", "SOAPAction: \"urn:x#y\"\r\n"),
		one("hls", "GET", "/live/a.m3u8?x=.mpd", ""),
		one("mpeg-dash", "GET", "/vod/a.mpd", ""),
		one("winrm", "POST", "/wsman?x", ""),
		one("http", "GET", "/a.m3u8/b", ""),
		one("webdav", "MKCOL", "/a", ""),
		one("icecast", "SOURCE", "/live", ""),
		one("icecast", "PUT", "/live", "Ice-Name: a\r\n"),
		one("rpc-over-http", "RPC_IN_DATA", "/rpc/rpcproxy.dll", ""),
		one("http-proxy", "GET", "http://a.test/x", ""),
		one("http", "GET", "/x?u=http://b.test/", ""),
	}
}

// hello is a client's hello of TLS 1.2 that names b.test (RFC 5246 section
// 7.4.1.2, RFC 6066 section 3).
func hello() string {
	sni := "\x00\x00\x00\x0b\x00\x09\x00\x00\x06b.test"
	body := "\x03\x03" + string(make([]byte, 32)) + "\x00" + "\x00\x02\xc0\x2f" + "\x01\x00" + "\x00\x0f" + sni
	msg := "\x01\x00" + string(binary.BigEndian.AppendUint16(nil, uint16(len(body)))) + body
	return "\x16\x03\x01" + string(binary.BigEndian.AppendUint16(nil, uint16(len(msg)))) + msg
}

func tunnelCases() []dissecttest.Case {
	c, s := dissecttest.Client[string], dissecttest.Server[string]
	const ask, yes = "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n", "HTTP/1.1 200 ok\r\n\r\n"
	tunnel := fact.Facts{Protocol: "http-connect", Hostname: "a.test", By: fact.ByHTTP, HTTPMethod: "CONNECT"}
	secure := tunnel
	secure.Hostname, secure.By, secure.TLSVersion, secure.JA4 = "b.test", fact.BySNI, 0x0303, "t12d010100_f06271c2b022_000000000000"
	tcp := func(p ...dissecttest.Packet) dissecttest.Flow { return dissecttest.TCP(3128, p...) }
	return []dissecttest.Case{
		{Name: "tunnel, asked for", In: tcp(c(ask)), Result: dissect.Partial, Want: tunnel},
		{Name: "tunnel, given", In: tcp(c(ask), s(yes)), Result: dissect.Partial, Want: tunnel},
		{Name: "tunnel, refused", In: tcp(c(ask), s("HTTP/1.1 407 no\r\n\r\n")), Result: dissect.Match, Want: tunnel},
		{Name: "tunnel, closed", In: tcp(c(ask)).Close(), Result: dissect.Match, Want: tunnel},
		{Name: "tunnel of TLS", In: tcp(c(ask), s(yes), c(hello())), Result: dissect.Partial, Want: secure},
		{Name: "tunnel of something else", In: tcp(c(ask), s(yes), c("SSH-2.0-x\r\n")), Result: dissect.Match, Want: tunnel},
	}
}

func TestProtocolDoesNotAllocate(t *testing.T) {
	w := dissecttest.TCP(80, dissecttest.Client("POST /ipp HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/ipp\r\nUpgrade: x\r\nA")).Whole()
	var f fact.Facts
	New().Dissect(w, &f)
	if n := testing.AllocsPerRun(100, func() { New().Dissect(w, &f) }); n != 0 {
		t.Errorf("allocations: got %v, want 0", n)
	}
}
