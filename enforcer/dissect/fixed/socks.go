package fixed

import (
	"bytes"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// SOCKS 5 (RFC 1928): methods, kinds of addresses.
const (
	socksNoLogin  = 0x00
	socksPassword = 0x02 // RFC 1929
	socksIPv4     = 1
	socksName     = 3
	socksIPv6     = 4
)

// socksEnds walks a client's and a server's part of the opening, and takes the
// name that the client asks for.
func socksEnds(w *dissect.Window, f *fact.Facts) ends {
	c, s := w.Stream[dissect.Client], w.Stream[dissect.Server]
	if len(c) == 0 {
		return ends{}
	}
	if c[0] == 4 {
		return socks4Ends(c, len(s), f)
	}
	client, server := dissect.NewCursor(c), dissect.NewCursor(s)
	client.Skip(1)
	client.Vector8() // methods
	server.Skip(1)
	switch method := server.Uint8(); {
	case !server.OK():
		return ends{}
	case method == socksPassword:
		client.Skip(1)
		client.Vector8() // name
		client.Vector8() // password
		if client.OK() {
			fact.SetRisk(&f.Risks, fact.RiskCleartextCredentials, w.Want.Login)
		}
		server.Skip(2)
	case method != socksNoLogin:
		return ends{none: true}
	}
	client.Skip(3) // version, command, reserved
	if name := socksAddress(&client); client.OK() && len(name) > 0 {
		dissect.SetHostname(f, name, fact.ByHTTP)
	}
	server.Skip(3)
	socksAddress(&server)
	return ends{at: [2]int{len(c) - client.Len(), len(s) - server.Len()}, known: client.OK() && server.OK()}
}

// socksAddress reads a kind, an address and a port, and gives the name where it
// is one.
func socksAddress(c *dissect.Cursor) []byte {
	var name []byte
	switch c.Uint8() {
	case socksIPv4:
		c.Skip(4)
	case socksIPv6:
		c.Skip(16)
	case socksName:
		v := c.Vector8()
		name = v.Rest()
	default:
		c.Skip(-1) // no kind: what follows is not an opening
	}
	c.Skip(2)
	return name
}

// socks4Ends: port, address, a name of the user, and where the address is
// 0.0.0.x that of the host, each up to a zero (SOCKS 4A). The answer has eight
// bytes.
func socks4Ends(c []byte, answered int, f *fact.Facts) ends {
	const fixed, answer = 8, 8
	if len(c) <= fixed {
		return ends{}
	}
	user := bytes.IndexByte(c[fixed:], 0)
	if user < 0 {
		return ends{none: len(c) > maxLogin}
	}
	at := fixed + user + 1
	if c[4]|c[5]|c[6] == 0 && c[7] != 0 {
		host := bytes.IndexByte(c[at:], 0)
		if host < 0 {
			return ends{none: len(c) > maxLogin}
		}
		dissect.SetHostname(f, c[at:at+host], fact.ByHTTP)
		at += host + 1
	}
	return ends{at: [2]int{at, answer}, known: answered >= answer}
}
