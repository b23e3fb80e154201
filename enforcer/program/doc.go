// Package program decides which policies hold for a flow. Load turns a
// bundle's serialised program into an immutable Program; each engine worker
// has a Machine of its own and calls Eval whenever a flow's facts change.
//
// The program is one structure for all policies, not a list walked policy by
// policy. Each clause of a policy is filed under one of its tests: the value
// of an attribute leads through a hash (equality, domains), an interval tree
// (numbers) or a prefix tree (addresses) to the few clauses that can still
// hold, and only their other tests are made. So the cost of a flow depends on
// what matches, not on how many policies there are. What has no such test is
// on a list that is tried for every flow. Only what the compiler could not
// turn into tests runs as expr bytecode.
//
// Called by enforcer, cmd/netpol and their tests. It may import artifact,
// lang/fact, expr/vm and bart, never the compiler, lang or the kernel.
package program

//go:generate go run ./internal/genread
