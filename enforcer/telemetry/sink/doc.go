// Package sink carries records to where the operator wants them: files,
// standard output and sockets.
//
// The engine offers records to a Set, which encodes them into the queue of each
// sink and never waits: what a queue has no room for is counted and gone. Each
// sink has a goroutine that takes everything that waits and writes it in one
// go, opens its place again when that fails, and may take its time. So the
// memory is bounded, and a collector that hangs costs records and nothing else.
//
// Called by cmd/netpold/daemon, which owns the Set. It imports the bundle's
// sinks, the records and what makes sockets.
package sink
