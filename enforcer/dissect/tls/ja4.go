package tls

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/netpol/netpol/enforcer/dissect"
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

// addAll adds a list of two-byte values.
func (l *valueList) addAll(list dissect.Cursor) {
	for list.Len() >= 2 {
		l.add(list.Uint16())
	}
}

// values aliases l.
func (l *valueList) values() []uint16 { return l.v[:l.n] }

// sort puts the values in order. Lists of clients are short: of 15 values in no order
// slices.Sort took four times as long (2026-11).
func (l *valueList) sort() {
	if l.n > maxInserted {
		slices.Sort(l.values())
		return
	}
	for i := 1; i < l.n; i++ {
		v, at := l.v[i], i
		for ; at > 0 && l.v[at-1] > v; at-- {
			l.v[at] = l.v[at-1]
		}
		l.v[at] = v
	}
}

// maxInserted is the longest list that is sorted by insertion, which takes the square of
// its length: a sender's choice.
const maxInserted = 48

// fingerprint is what JA4 is made of. Its cursors alias the hello.
type fingerprint struct {
	carrier    Carrier
	ciphers    dissect.Cursor
	extensions dissect.Cursor // whole: types and data
	algorithms dissect.Cursor
	protocol   []byte // the first of the ALPN list
}

// appendJA4 appends the fingerprint; nothing when a list is beyond bounds.
func (p *fingerprint) appendJA4(dst []byte, version uint16) []byte {
	var ciphers, extensions, algorithms valueList
	ciphers.addAll(p.ciphers)
	algorithms.addAll(p.algorithms)
	counted, mark := 0, byte('i')
	for c := p.extensions; c.Len() > 0; c.Vector16() {
		typ := c.Uint16()
		if isGREASE(typ) {
			continue
		}
		counted++
		switch typ { // these two the specification leaves out of the hash
		case extServerName:
			mark = 'd'
		case extALPN:
		default:
			extensions.add(typ)
		}
	}
	if ciphers.overflow || extensions.overflow || algorithms.overflow {
		return dst
	}
	dst = append(dst, "tqd"[p.carrier])
	dst = append(dst, versionMark(version)...)
	dst = append(dst, mark)
	dst = appendCount(dst, ciphers.n)
	dst = appendCount(dst, counted)
	dst = appendProtocol(dst, p.protocol)

	var buf [usualList]byte // longer lists cost an allocation, no more
	ciphers.sort()
	dst = append(dst, '_')
	dst = appendHash(dst, appendValues(buf[:0], ciphers.values()))

	extensions.sort()
	list := appendValues(buf[:0], extensions.values())
	if algorithms.n > 0 && len(list) > 0 {
		list = append(list, '_')
		list = appendValues(list, algorithms.values())
	}
	dst = append(dst, '_')
	return appendHash(dst, list)
}

// usualList is the room for two lists of 64 values as text.
const usualList = 2 * 5 * 64

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
	const digits = "0123456789abcdef"
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, digits[v>>12], digits[v>>8&15], digits[v>>4&15], digits[v&15])
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
