// Package flowset keeps the sets that policies add flows to, of nftables and
// ipsets alike: the tool creates, describes and removes them, netpold fills
// them.
//
// Called by cmd/netpol (plan, apply, destroy) and cmd/netpold. May import
// compiler/artifact, enforcer/kernel/ipset and enforcer/kernel/nftset. Works in
// the network namespace of the calling thread.
package flowset
