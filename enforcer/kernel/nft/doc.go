// Package nft writes a bundle's nftables table into the kernel and reads the
// live one back.
//
// Apply sends one batch that adds, deletes and adds the table: the kernel
// takes all of it or none of it, and no other table is touched. Read decodes
// the live expressions into the same words that Canonical makes of the wanted
// ruleset; an expression it does not know stands there in hex, so that nothing
// a stranger put into our table goes unseen.
//
// google/nftables encodes the expressions. The batch itself is our own: that
// library's Flush (v0.3.0) cannot carry a generation id, which is the lock
// between plan and apply, nor say which message of the batch was refused, and
// its reader fails on or skips expressions it does not know.
//
// Called by enforcer/kernel. May import compiler/artifact, google/nftables,
// x/sys and enforcer/kernel/internal. Works in the network namespace of the
// calling thread.
package nft
