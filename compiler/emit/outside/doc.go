// Package outside emits what netpold does for policies outside of the table: which
// sets of the kernel's it puts their flows into, which sinks it notifies, by index,
// and the conditions of sinks as a program of their own. It refuses what netpold
// could not do.
//
// Called by compiler. The sets and sinks themselves are in the ir.Set as the bundle
// has them.
package outside
