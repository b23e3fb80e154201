// Package localnet finds the networks that lie behind interfaces, by the kernel's
// addresses and routes (rtnetlink(7)), and follows them as they change.
//
// Called by cmd/netpold. May import compiler/artifact and x/sys.
package localnet
