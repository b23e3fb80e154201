// Package diag is the shape of everything netpol tells a policy's author: a
// Diagnostic with a stable code, a fixed summary, full sentences of detail and
// the source range it speaks of.
//
// It is a leaf: every stage from lang to compiler produces diagnostics, so it
// imports the standard library only. It renders nothing; text for people is
// made in cmd/netpol/internal/view.
package diag
