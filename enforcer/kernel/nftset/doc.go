// Package nftset changes the elements of sets in a bundle's nftables table
// while its rules stay as they are: the heartbeat that policies with
// on_fail = "closed" wait for, and the windows of schedules. It also creates and
// fills the sets outside of that table that policies add flows to. An Owner owns
// the table, so that nobody else changes it.
//
// It stands beside enforcer/kernel/nft, and not in it, because netpold calls it
// and must not link the library that encodes rules. Every change is a
// transaction of nftables and moves the generation of the ruleset.
//
// Called by cmd/netpold and cmd/netpol. May import compiler/artifact, x/sys and
// enforcer/kernel/internal. Works in the network namespace of the calling
// thread.
package nftset
