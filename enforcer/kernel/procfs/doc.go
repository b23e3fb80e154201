// Package procfs reads what the kernel counts in files: what this process uses,
// and what interfaces carried.
//
// Called by cmd/netpold/daemon. Imports the standard library only.
package procfs
