// Package daemon is netpold: its command line, the bundle it loads, the engine
// between NFLOG and conntrack, the control socket and what systemd is told.
//
// cmd/netpold runs it, and so does netpol demo, on the router that it builds:
// one program is enough to try everything. It must not import lang, the
// compiler or cmd/netpol; cmd/netpold/deps_test.go holds the whole list.
package daemon
