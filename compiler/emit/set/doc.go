// Package set says which sets of the kernel's each policy puts its flows into,
// so that the enforcer finds them by index, and refuses what the enforcer could
// not do.
//
// Called by the compiler; may import compiler/ir, compiler/artifact and
// lang/diag.
package set
