// Package qosify reads the map files of OpenWrt's qosify, lines of a match and a
// code point, and writes a policy for each.
//
// qosify marks each packet by the far side's port or address, and an address,
// also one learnt from a DNS answer, counts more than a port. So the policies
// stand in the order addresses, names, ports.
//
// Called by cmd/netpol. May import lang/importer, lang, lang/diag, lang/fact and
// lang/suggest.
package qosify
