// Package survey looks at what others have on this machine that has to do with
// netpol's work: their nftables chains and flowtables, routing rules that ask for
// marks, queues and their classes, and which networks are where. It changes nothing.
//
// Called by cmd/netpol/internal/doctor, and by cmd/netpol/internal/cli for what
// cmd/netpol/internal/propose makes policies of. May import x/sys, vishvananda/netlink and
// enforcer/kernel/internal.
package survey
