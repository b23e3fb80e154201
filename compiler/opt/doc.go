// Package opt rewrites a resolved policy set into one that is cheaper to run
// and says the same: a pass a file, in the order that Run lists them.
//
//	push     negations go down to the comparisons
//	fold     comparisons of one attribute merge, contradictions become false
//	dead     policies that can never hold go, with a warning
//	share    equal conditions become one node
//	split    who decides each policy: the kernel alone, or the enforcer
//
// Called by the compiler between resolve and emit; imports compiler/ir and
// lang/diag only. Passes never change a tree in place: ir trees are shared.
package opt
