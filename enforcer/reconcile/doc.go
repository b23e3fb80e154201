// Package reconcile compares what a router runs with what it should run. Both
// are lists of objects, each with an identity and a body as text; Diff says
// what to create, update and delete. It is pure: reading the router and
// changing it are the caller's.
//
// Called by cmd/netpol (plan, apply, destroy). Imports the standard library
// only.
package reconcile
