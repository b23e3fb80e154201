// Package all lists every dissector. It is the one place where they come
// together: cmd/netpold, and whatever else runs the engine, passes the list to
// enforcer.Config. It imports dissect and every folder below it.
package all
