// Package router is one machine as the tool sees it: the nftables table, the
// connlabel.conf files and the applied bundle, read as reconcile's objects,
// and changed so that they become what a bundle asks for.
//
// cmd/netpol/internal/cli calls it. It talks to the kernel only through
// enforcer/kernel/* and prints nothing.
package router
