// Package evasion makes the connections of the evasion table: each hides the name
// blocked.test from whoever reads it on the way, in a way that has been used or
// published, and has an outcome that netpol owes. It makes their packets itself,
// runs them through the enforcer's engine and says what came out: as captures, or
// through a router of the lab's with the kernel before it.
//
// The verb selftest calls it, and its own test. It imports the compiler, the
// enforcer, the lab and, for the router, the kernel's packages.
package evasion
