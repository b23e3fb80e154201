// Package evasion makes the connections of the evasion table: each hides the name
// blocked.test from whoever reads it on the way, in a way that has been used or
// published, and has an outcome that netpol owes. It makes their packets itself,
// runs them through the enforcer's engine and says what came out.
//
// The verb selftest calls it, and its own test. It imports the compiler, the
// enforcer and nothing that talks to the kernel.
package evasion
