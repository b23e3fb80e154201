// Package console answers what somebody types who wants to know what a
// criterion means: its type, the attribute it names, and on which sample flows
// it holds. It reads no lines and prints nothing; a Session takes a line and
// returns a Reply.
//
// cmd/netpol/internal/cli runs the loop and cmd/netpol/internal/view shows the
// replies.
package console
