// Package ct is the ctnetlink client: Writer puts labels and marks on
// connections, many in one system call; Client asks for one connection or
// walks all of them.
//
// Writer implements the engine's LabelSink, Client its Resolver. Both speak
// nfnetlink directly, because the cost of a label is the enforcer's cost per
// flow: a batch of 128 takes about 1 microsecond a label, one acknowledged
// request each took 16 (kernel 6.18).
//
// Called by cmd/netpold and tests. May import enforcer/flow and
// enforcer/kernel/internal. Works in the network namespace of the thread that
// opened it.
package ct
