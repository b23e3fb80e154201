// Package tls dissects TLS over TCP and DTLS over UDP: the client's hello
// (server name, offered versions and protocols, JA4), the version the server
// chose, and before TLS 1.3 the name in the server's certificate. It reads
// plaintext handshake bytes only and uses no TLS library, so that what a
// library refuses (and an evader sends) is still seen.
//
// dissect/all lists it; dissect/quic calls ParseClientHello for the hello
// inside its packets. It imports dissect, fact and the standard library.
package tls
