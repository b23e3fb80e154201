// Package pattern reads regular expressions for what they say: which of them
// only say what a plain operator says, which dots were meant as dots, and a
// text that one matches.
//
// Called by compiler/lint and compiler/lint/flowspace. It imports the standard
// library only.
package pattern
