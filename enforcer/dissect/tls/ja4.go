package tls

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// JA4 is FoxIO's fingerprint of a TLS client; the specification is
// technical_details/JA4.md of github.com/FoxIO-LLC/ja4 (the TLS client part is
// under the BSD 3-clause licence).

// ja4Len is the length of a fingerprint: t13d1516h2_8daaf6152771_e5627efa2ab1.
const ja4Len = 10 + 1 + 12 + 1 + 12

// maxListed bounds each list of a hello. IANA has assigned some 370 cipher
// suites and 60 extensions; a longer list is no client's, and gets no
// fingerprint.
const maxListed = 512

// valueList is a list of a hello without its GREASE values.
type valueList struct {
	v        [maxListed]uint16
	n        int
	overflow bool
}

func (l *valueList) add(v uint16) {
	if isGREASE(v) {
		return
	}
	if l.n == len(l.v) {
		l.overflow = true
		return
	}
	l.v[l.n] = v
	l.n++
}

// values aliases l.
func (l *valueList) values() []uint16 { return l.v[:l.n] }

// fingerprint collects what JA4 is made of.
type fingerprint struct {
	carrier    Carrier
	ciphers    valueList
	extensions valueList // but server name and ALPN, which the spec leaves out of the hash
	algorithms valueList
	counted    int // extensions, server name and ALPN included
	serverName bool
	protocol   []byte // the first of the ALPN list
}

func (p *fingerprint) addExtension(typ uint16) {
	if isGREASE(typ) {
		return
	}
	p.counted++
	switch typ {
	case extServerName:
		p.serverName = true
	case extALPN:
	default:
		p.extensions.add(typ)
	}
}

// appendJA4 appends the fingerprint; nothing when a list is beyond bounds. It
// sorts the lists.
func (p *fingerprint) appendJA4(dst []byte, version uint16) []byte {
	if p.ciphers.overflow || p.extensions.overflow || p.algorithms.overflow {
		return dst
	}
	dst = append(dst, "tqd"[p.carrier])
	dst = append(dst, versionMark(version)...)
	mark := byte('i')
	if p.serverName {
		mark = 'd'
	}
	dst = append(dst, mark)
	dst = appendCount(dst, p.ciphers.n)
	dst = appendCount(dst, p.counted)
	dst = appendProtocol(dst, p.protocol)

	var buf [2*5*maxListed + 1]byte
	slices.Sort(p.ciphers.values())
	dst = append(dst, '_')
	dst = appendHash(dst, appendValues(buf[:0], p.ciphers.values()))

	slices.Sort(p.extensions.values())
	list := appendValues(buf[:0], p.extensions.values())
	if p.algorithms.n > 0 && len(list) > 0 {
		list = append(list, '_')
		list = appendValues(list, p.algorithms.values())
	}
	dst = append(dst, '_')
	return appendHash(dst, list)
}

// versionMark is the two characters for a version; "00" for unknown ones.
func versionMark(v uint16) string {
	switch v {
	case version13:
		return "13"
	case version12:
		return "12"
	case version11:
		return "11"
	case 0x0301:
		return "10"
	case versionSSL3:
		return "s3"
	case 0x0002:
		return "s2"
	case versionDTLS10:
		return "d1"
	case versionDTLS12:
		return "d2"
	case versionDTLS13:
		return "d3"
	}
	return "00"
}

// appendCount appends n as two digits, 99 at most.
func appendCount(dst []byte, n int) []byte {
	n = min(n, 99)
	return append(dst, '0'+byte(n/10), '0'+byte(n%10))
}

// appendProtocol appends the first and last character of an ALPN value, or of
// its hexadecimal form when one of them is not alphanumeric.
func appendProtocol(dst, p []byte) []byte {
	if len(p) == 0 {
		return append(dst, '0', '0')
	}
	first, last := p[0], p[len(p)-1]
	if isAlphanumeric(first) && isAlphanumeric(last) {
		return append(dst, first, last)
	}
	const digits = "0123456789abcdef"
	return append(dst, digits[first>>4], digits[last&15])
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// appendValues appends a comma-separated list of four-digit hexadecimals.
func appendValues(dst []byte, values []uint16) []byte {
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = hex.AppendEncode(dst, []byte{byte(v >> 8), byte(v)})
	}
	return dst
}

// appendHash appends the first 12 hexadecimal digits of the SHA-256 of list,
// zeros for an empty one.
func appendHash(dst, list []byte) []byte {
	if len(list) == 0 {
		return append(dst, "000000000000"...)
	}
	sum := sha256.Sum256(list)
	return hex.AppendEncode(dst, sum[:6])
}
