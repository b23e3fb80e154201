// Package nft makes the nftables table of a bundle: the chain that switches
// conntrack labels on, the chains that decide on a connection's first packet
// what needs no enforcer, the capture chains that hand the first packets of each
// flow to the enforcer, and the chains that act on labels. Text renders the same
// table as a file for "nft -f".
//
// Called by the compiler. Imports compiler/artifact and compiler/ir only;
// enforcer/kernel/nft writes the same artifact.Ruleset over netlink.
package nft
