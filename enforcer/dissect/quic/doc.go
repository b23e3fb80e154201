// Package quic dissects QUIC: version 1 (RFC 9000), version 2 (RFC 9369), the
// drafts of version 1 that were deployed, and Google's versions before it. It
// opens the client's Initial packets, whose keys follow from bytes on the wire
// (RFC 9001 section 5.2), puts the CRYPTO frames of all datagrams together and
// hands the TLS hello inside to dissect/tls.
//
// dissect/all lists it. It imports dissect, dissect/tls, fact and the standard
// library. The work is bounded by maxInitials decryptions a call.
package quic
