// Package nfnl speaks nfnetlink over a raw AF_NETLINK socket: it builds
// messages into a reused buffer, sends several in one system call, and walks
// what comes back without allocating.
//
// It exists beside mdlayher/netlink because that library receives each
// message twice (once to peek), allocates, and drops the sequence number of an
// error, which is the only thing that says which message of a batch failed.
//
// Called by enforcer/kernel/ct, capture, nft and probe. May import x/sys only.
package nfnl
