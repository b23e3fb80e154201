package tls

import "encoding/hex"

// JA4S is FoxIO's fingerprint of a TLS server's hello; the specification is
// technical_details/JA4S.md of github.com/FoxIO-LLC/ja4.

// ja4sLen is the length of a fingerprint: t130200_1301_a56c5b993250.
const ja4sLen = 7 + 1 + 4 + 1 + 12

// maxAnswered bounds the extensions of a server's hello: it answers those of the
// client's, and TLS 1.3 allows two.
const maxAnswered = 32

// addExtension notes an extension, in the order of the hello.
func (a *answer) addExtension(typ uint16) {
	if a.count < maxAnswered {
		a.extensions[a.count] = typ
	}
	a.count++
}

// appendJA4S appends the fingerprint; nothing for a hello beyond bounds. Unlike
// a client's, the extensions keep their order and GREASE is no server's.
func (a *answer) appendJA4S(dst []byte, over Carrier) []byte {
	if a.count > maxAnswered {
		return dst
	}
	dst = append(dst, "tqd"[over])
	dst = append(dst, versionMark(a.wire)...)
	dst = appendCount(dst, a.count)
	dst = appendProtocol(dst, a.alpn)
	dst = append(dst, '_')
	dst = hex.AppendEncode(dst, []byte{byte(a.cipher >> 8), byte(a.cipher)})
	var buf [5 * maxAnswered]byte
	dst = append(dst, '_')
	return appendHash(dst, appendValues(buf[:0], a.extensions[:a.count]))
}
