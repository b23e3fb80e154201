package tls

import (
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// TLS versions on the wire (RFC 8446 section 4.2.1).
const (
	versionSSL3 = 0x0300
	version11   = 0x0302
	version12   = 0x0303
	version13   = 0x0304
)

// DTLS versions on the wire (RFC 4347, 6347 and 9147).
const (
	versionDTLS10 = 0xfeff
	versionDTLS12 = 0xfefd
	versionDTLS13 = 0xfefc
	// versionDTLSBad is OpenSSL's first, and AnyConnect's, DTLS 1.0.
	versionDTLSBad = 0x0100
)

// knownVersion maps a wire version to the value of the attribute tls_version;
// 0 when it is none. A draft of TLS 1.3 (0x7fNN), also Facebook's (0xfbNN),
// counts as 1.3; a DTLS version as the TLS version it is derived from.
func knownVersion(v uint16) int {
	switch {
	case v >= versionSSL3 && v <= version13:
		return int(v)
	case v>>8 == 0x7f, v>>8 == 0xfb, v == versionDTLS13:
		return version13
	case v == versionDTLS12:
		return version12
	case v == versionDTLS10, v == versionDTLSBad:
		return version11
	}
	return 0
}

// isGREASE says whether v is one of the reserved values that clients send to
// keep servers tolerant (RFC 8701 section 2).
func isGREASE(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }

// retryRandom is the random of a ServerHello that is a HelloRetryRequest: the
// SHA-256 of that word (RFC 8446 section 4.1.3).
const retryRandom = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91" +
	"\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"

// set writes the facts of the server's hello.
func (a *answer) set(over Carrier, f *fact.Facts) {
	f.TLSVersion, f.TLSCipher = a.version, a.cipher
	if f.JA4S == "" { // else it was said before, of the same hello
		var print [ja4sLen]byte
		dissect.SetText(&f.JA4S, a.appendJA4S(print[:0], over))
	}
	if len(a.alpn) > 0 {
		var buf [4 * 255]byte
		dissect.SetText(&f.TLSALPNServer, dissect.AppendEscaped(buf[:0], a.alpn, '\\'))
	}
	if a.version < version12 {
		fact.SetRisk(&f.Risks, fact.RiskObsoleteTLS, true)
	}
	if fact.WeakCipher(a.cipher) {
		fact.SetRisk(&f.Risks, fact.RiskWeakCipher, true)
	}
}

// parseServerHello reads the body of a ServerHello (RFC 8446 section 4.1.3)
// into a. It reports false for anything malformed.
func parseServerHello(body []byte, a *answer) bool {
	c := dissect.NewCursor(body)
	version := c.Uint16()
	random := c.Bytes(32)
	session := c.Vector8()
	a.cipher = int(c.Uint16())
	c.Skip(1) // compression method
	if !c.OK() || session.Len() > 32 {
		return false
	}
	extensions := dissect.NewCursor(nil)
	if c.Len() > 0 {
		extensions = c.Vector16()
	}
	for extensions.Len() > 0 {
		typ, data := extensions.Uint16(), extensions.Vector16()
		a.addExtension(typ)
		switch typ {
		case extSupportedVersions:
			if v := data.Uint16(); data.OK() {
				version = v
			}
		case extALPN: // a list of one (RFC 7301 section 3.1)
			list := data.Vector16()
			a.alpn = protocolName(&list)
		}
	}
	if !extensions.OK() {
		return false
	}
	a.version, a.wire = knownVersion(version), version
	a.retry = string(random) == retryRandom
	return a.version != 0
}
