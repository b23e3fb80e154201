// Package quantity reads numbers with units: "10MB", "2Mbit", "90s".
//
// lang reads arguments with it and compiler/resolve constants in criteria. It
// may import nothing but the standard library.
package quantity
