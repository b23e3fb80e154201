// Package probe finds out what the running kernel can do by asking it: each
// probe hands the kernel a small table in a transaction that is never
// committed. Version numbers are for messages; distributions move features
// both ways.
//
// A probe returns nil, an error that wraps ErrNotSupported, or another error
// when nothing could be found out (no permission).
//
// Called by cmd/netpol and tests. May import compiler/artifact and
// enforcer/kernel/nft and capture.
package probe
