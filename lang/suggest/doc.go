// Package suggest finds the name that somebody probably meant. lang,
// compiler/resolve and cmd/netpol call it for their "did you mean"; it may not
// import any package of the project.
package suggest
