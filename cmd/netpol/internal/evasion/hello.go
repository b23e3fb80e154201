package evasion

import (
	"encoding/binary"
	"slices"
)

// Hidden is the name that the connections hide.
const Hidden = "blocked.test"

// decoy is the name that some show instead.
const decoy = "innocent.test"

// vector is b behind its length in width bytes (RFC 8446, 3.4).
func vector(width int, b []byte) []byte {
	var length [4]byte
	binary.BigEndian.PutUint32(length[:], uint32(len(b)))
	return append(slices.Clone(length[4-width:]), b...)
}

// extension is one of a hello's.
func extension(typ uint16, body []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, typ), vector(2, body)...)
}

// sni names hosts in a server_name extension (RFC 6066, 3).
func sni(hosts ...string) []byte {
	var list []byte
	for _, h := range hosts {
		list = append(append(list, 0), vector(2, []byte(h))...)
	}
	return extension(0, vector(2, list))
}

// versions offers TLS 1.3 (RFC 8446, 4.2.1), alpn protocols, padding zeros.
func versions() []byte { return extension(43, []byte{2, 3, 4}) }

func alpn(names ...string) []byte {
	var list []byte
	for _, n := range names {
		list = append(list, vector(1, []byte(n))...)
	}
	return extension(16, vector(2, list))
}

func padding(n int) []byte { return extension(21, make([]byte, n)) }

// clientHello is a ClientHello message with the extensions.
func clientHello(extensions ...[]byte) []byte {
	b := []byte{3, 3}
	for i := range 32 {
		b = append(b, byte(i*7))
	}
	b = append(b, 0)                                         // no session
	b = append(b, vector(2, []byte{0x13, 1, 0xc0, 0x2f})...) // cipher suites
	b = append(b, 1, 0)                                      // no compression
	b = append(b, vector(2, slices.Concat(extensions...))...)
	return append([]byte{1}, vector(3, b)...)
}

// named is the hello of a client that names its host.
func named(host string) []byte { return clientHello(sni(host), versions(), alpn("h2")) }

// record is a TLS record (RFC 8446, 5.1).
func record(typ byte, body []byte) []byte {
	return append([]byte{typ, 3, 1}, vector(2, body)...)
}

// records cuts a message into handshake records of n bytes.
func records(message []byte, n int) []byte {
	var b []byte
	for piece := range slices.Chunk(message, n) {
		b = append(b, record(22, piece)...)
	}
	return b
}

// plain is the hello in one record; Hidden is its host.
func plain() []byte { return record(22, named(Hidden)) }

// retryRandom is what a server's hello has that asks for another client's
// (RFC 8446, 4.1.3).
const retryRandom = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91" +
	"\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"

// serverHello is a ServerHello message; random nil is 32 zeros. With cipher
// suites of TLS 1.3 it chooses that.
func serverHello(version, suite uint16, random []byte) []byte {
	if random == nil {
		random = make([]byte, 32)
	}
	b := binary.BigEndian.AppendUint16(nil, version)
	b = append(append(b, random...), 0)
	b = append(binary.BigEndian.AppendUint16(b, suite), 0)
	var ext []byte
	if suite>>8 == 0x13 {
		ext = extension(43, []byte{3, 4})
	}
	b = append(b, vector(2, ext)...)
	return append([]byte{2}, vector(3, b)...)
}
