package tls

import (
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// Carrier is what a hello travels over; it differs in form for DTLS and in
// fingerprint for all.
type Carrier uint8

// Carriers.
const (
	OverTCP Carrier = iota
	OverQUIC
	OverDTLS
)

// Extension types (IANA TLS ExtensionType registry).
const (
	extServerName          = 0x0000
	extSignatureAlgorithms = 0x000d
	extALPN                = 0x0010
	extSupportedVersions   = 0x002b
	extEncryptedHello      = 0xfe0d // RFC 9849
)

// ParseClientHello reads a whole ClientHello handshake message, its four-byte
// header included, and sets Hostname and By, TLSVersion (the highest offered),
// TLSECH, ALPN, JA4 and the risk of a missing name. It reports false, with f as it was, when msg is malformed. It
// leaves Protocol to the caller.
func ParseClientHello(msg []byte, over Carrier, f *fact.Facts) bool {
	c := dissect.NewCursor(msg)
	typ, body := c.Uint8(), c.Vector24()
	return typ == typeClientHello && body.OK() && parseHello(body.Rest(), over, f)
}

// clientHello is what one pass over a hello collects. It aliases the message.
type clientHello struct {
	serverName []byte
	over       Carrier
	names      int // host names seen; more than one is an evasion
	alpn       dissect.Cursor
	version    uint16 // the highest offered
	encrypted  bool   // an inner hello, or GREASE in its place
	print      fingerprint
}

// parseHello reads the body of a ClientHello (RFC 8446 section 4.1.2; RFC 6347
// section 4.2.1 for the cookie of DTLS).
func parseHello(body []byte, over Carrier, f *fact.Facts) bool {
	var h clientHello
	c := dissect.NewCursor(body)
	h.version = c.Uint16()
	c.Skip(32) // random
	session := c.Vector8()
	if over == OverDTLS {
		c.Vector8()
	}
	ciphers := c.Vector16()
	c.Vector8() // compression methods
	if !c.OK() || session.Len() > 32 || ciphers.Len()%2 != 0 {
		return false
	}
	h.print.carrier, h.print.ciphers = over, ciphers
	h.over = over
	// A hello without extensions may end here (RFC 5246 section 7.4.1.2).
	if c.Len() > 0 && !h.readExtensions(c.Vector16()) {
		return false
	}
	h.set(f)
	return true
}

// parseCutHello takes the server name out of the beginning of a hello over TCP
// whose rest never comes: the capture cut it off, a segment is missing, or it
// is longer than what is reassembled. A fingerprint would be another's, so
// there is none.
func parseCutHello(body []byte, f *fact.Facts) {
	c := dissect.NewCursor(body)
	c.Skip(2 + 32) // version, random
	c.Vector8()    // session
	c.Vector16()   // cipher suites
	c.Vector8()    // compression methods
	c.Skip(2)      // length of the extensions
	for c.Len() > 0 {
		typ, data := c.Uint16(), c.Vector16()
		if !c.OK() {
			return
		}
		if typ == extServerName {
			var h clientHello
			if h.readServerName(data); h.names == 1 {
				dissect.SetHostname(f, h.serverName, fact.BySNI)
			}
			return
		}
	}
}

func (h *clientHello) readExtensions(c dissect.Cursor) bool {
	h.print.extensions = c
	for c.Len() > 0 {
		typ, data := c.Uint16(), c.Vector16()
		if !c.OK() {
			return false
		}
		switch typ {
		case extServerName:
			h.readServerName(data)
		case extALPN:
			h.alpn = data.Vector16()
			first := h.alpn
			h.print.protocol = protocolName(&first)
		case extSupportedVersions:
			h.readVersions(data.Vector8())
		case extEncryptedHello:
			h.encrypted = true
		case extSignatureAlgorithms:
			h.print.algorithms = data.Vector16()
		}
	}
	return c.OK()
}

// readServerName reads a ServerNameList (RFC 6066 section 3).
func (h *clientHello) readServerName(data dissect.Cursor) {
	list := data.Vector16()
	for list.Len() > 0 {
		typ, name := list.Uint8(), list.Vector16()
		if typ == 0 && name.OK() { // host_name
			h.serverName = name.Rest()
			h.names++
		}
	}
}

// readVersions takes the highest of the offered versions (RFC 8446 section
// 4.2.1). DTLS counts downwards.
func (h *clientHello) readVersions(list dissect.Cursor) {
	var highest uint16
	for list.Len() >= 2 {
		v := list.Uint16()
		dtls := v>>8 == 0xfe
		switch {
		case isGREASE(v):
		case highest == 0, dtls && v < highest, !dtls && v > highest:
			highest = v
		}
	}
	if highest != 0 {
		h.version = highest
	}
}

// set writes the facts.
func (h *clientHello) set(f *fact.Facts) {
	f.TLSVersion = knownVersion(h.version)
	// Two names would let a client show one to us and one to the server; RFC
	// 6066 forbids them, and none is believed.
	// An address is forbidden there as well, but sent.
	if h.names == 1 && !dissect.SetHostname(f, h.serverName, fact.BySNI) && !dissect.SetAddress(f, h.serverName, fact.BySNI) {
		f.Evasive = true // no name that a server could have
	}
	f.Evasive = f.Evasive || h.names > 1
	// A browser's call has no name, nor needs one (RFC 8827).
	if h.names == 0 && !h.encrypted && h.over != OverDTLS {
		fact.SetRisk(&f.Risks, fact.RiskMissingSNI, true)
	}
	f.TLSECH = h.encrypted
	h.setALPN(f)
	// The hello is read again with each look at what the server sends; its fingerprint is
	// the dearest of it, and stays.
	if f.JA4 == "" {
		var buf [ja4Len]byte
		dissect.SetText(&f.JA4, h.print.appendJA4(buf[:0], h.version))
	}
}

// setALPN writes the offered protocols (RFC 7301 section 3.1), joined by
// commas and without GREASE.
func (h *clientHello) setALPN(f *fact.Facts) {
	var buf [256]byte // longer lists cost an allocation, no more
	out := buf[:0]
	for list := h.alpn; list.Len() > 0; {
		p := protocolName(&list)
		if len(p) == 0 {
			continue
		}
		if len(out) > 0 {
			out = append(out, ',')
		}
		out = dissect.AppendEscaped(out, p, ',')
	}
	dissect.SetText(&f.ALPN, out)
}

// protocolName reads one ProtocolName; empty for a GREASE value.
func protocolName(list *dissect.Cursor) []byte {
	name := list.Vector8()
	p := name.Rest()
	if len(p) == 2 && isGREASE(uint16(p[0])<<8|uint16(p[1])) {
		return nil
	}
	return p
}
