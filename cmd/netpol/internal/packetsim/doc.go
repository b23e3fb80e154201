// Package packetsim does to a packet what the kernel would do to it by a
// bundle's nftables table: hook by hook, chain by chain, with a conntrack entry
// that rules read and write. It knows every kind of match and statement that
// artifact has, and answers nothing that it does not know.
//
// What is simulated is the table alone: no NAT, no other table, no routing. A
// test holds it against the real kernel.
//
// Called by cmd/netpol/internal/outcome. It imports compiler/artifact, touches
// neither files nor the kernel, and is not to import anything of the compiler
// or the enforcer: it is the third opinion.
package packetsim
