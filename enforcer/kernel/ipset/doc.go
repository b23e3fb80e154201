// Package ipset creates, fills and removes the ipsets that policies add flows
// to. ipsets are no part of an nftables transaction: the tool creates them
// before the batch that commits an apply and removes them after it.
//
// Messages are made by enforcer/kernel/internal/nfnl: netpold, which fills the
// sets, links no larger library, and a thousand elements are one system call.
//
// Called by cmd/netpold and cmd/netpol, through enforcer/kernel/flowset. May
// import compiler/artifact, x/sys and enforcer/kernel/internal. Works in the
// network namespace of the calling thread.
package ipset
