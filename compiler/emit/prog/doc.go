// Package prog makes the decision program of a bundle: conditions become
// conjunctions of shared tests, each filed under the test that will find it
// soonest, and what is no test becomes expr bytecode.
//
// Called by the compiler after opt, which has moved negations down to the
// comparisons. It may import compiler/ir, compiler/artifact, lang/diag,
// lang/fact and expr; it is the only package that imports expr's compiler.
// enforcer/program is the other side.
package prog
