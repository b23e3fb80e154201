// Package nftwatch tells of changes that anybody makes to nftables tables and the
// sets in them, and who made them: the kernel announces every transaction to the multicast group
// NFNLGRP_NFTABLES, and names the process at its end.
//
// Called by cmd/netpold. May import x/sys and enforcer/kernel/internal. It does
// not link google/nftables: netpold reads no rules.
package nftwatch
