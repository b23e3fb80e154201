// Package flowspace answers questions about all flows at once: whether any
// flow can meet a condition, whether two conditions overlap, whether one lies
// within another, and which flow shows it.
//
// The values of each attribute are cut into classes that no condition of the
// set can tell apart: intervals between the numbers and prefixes that occur,
// each constant of a text and what lies under each suffix, the tags of the
// catalogue. A class is a number, its bits are variables of a decision diagram
// (package bdd), and a condition is the set of flows it holds for. What
// attributes owe each other is the theory: an application's category, the two
// ends of a flow under their two names, address family and IP version.
//
// Every flow that the enforcer can see has its place in the space, so "no flow"
// is a proof. A place need not be a flow (two regular expressions may exclude
// each other, which the theory does not know), so "some flow" holds only with a
// Witness, whose facts have been tried on the conditions themselves.
//
// Called by compiler/lint. It imports compiler/ir, compiler/artifact, lang/fact
// and bdd.
package flowspace
