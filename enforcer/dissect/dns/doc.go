// Package dns dissects DNS over UDP and TCP (RFC 1035), multicast DNS (RFC
// 6762) and LLMNR (RFC 4795): the name asked for, and from the answers the
// addresses it was given, by which classify names later flows.
//
// On the registered ports a sound header and question suffice. Elsewhere a
// message must be flawless to its last byte, for its 12-byte header alone
// proves little. dissect/all lists it. It imports dissect, fact and the
// standard library.
package dns
