// Package survey looks at what others have on this machine that has to do with
// netpol's work: their nftables chains and flowtables, and routing rules that ask
// for marks. It changes nothing.
//
// Called by cmd/netpol/internal/doctor. May import x/sys, vishvananda/netlink and
// enforcer/kernel/internal.
package survey
