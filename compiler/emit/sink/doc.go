// Package sink emits where records go: which sinks each policy notifies, and
// the conditions of sinks as a program of their own.
//
// Called by compiler. The sinks themselves are in the ir.Set as the bundle has
// them.
package sink
