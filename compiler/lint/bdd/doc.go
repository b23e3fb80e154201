// Package bdd holds sets of bit vectors as reduced ordered binary decision
// diagrams (Bryant 1986): equal sets are equal numbers, and union,
// intersection and difference cost no more than the product of their sizes.
//
// Called by compiler/lint/flowspace. It imports the standard library only.
package bdd
