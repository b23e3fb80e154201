// Package flowfacts reads and writes the facts of a flow by attribute name: from
// the values that a test, a console or a flow record writes, with the mistakes
// as diagnostics, and back to text. It also fills in what follows from what was
// written (the category from the application, the local side from the
// addresses), the way the enforcer does it.
//
// The tester, the semantic diff and the console of cmd/netpol call it. It reads
// no files and prints nothing.
package flowfacts
