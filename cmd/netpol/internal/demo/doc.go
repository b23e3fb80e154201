// Package demo tells the story of netpol demo: a router in namespaces, a policy
// file, plan, apply, a Zoom call through it, and what the kernel then holds.
// Every command it shows is really run, by this very program; what it claims
// at the end it has checked against the kernel and the wire.
//
// Called by cmd/netpol/internal/cli inside the namespaces that lab.Enter made.
// The world it acts in is cmd/netpol/internal/lab.
package demo
