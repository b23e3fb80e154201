// Package kerneltest lets tests meet a real kernel without touching the host:
// NewNS puts a test into a fresh network namespace, NewLab builds a client, a
// router and a server joined by veth pairs. Log is the fake: it writes down
// as text what would have been done.
//
// Imported by tests only. NETPOL_REQUIRE_NETNS=1 turns the skip of a test
// that may not make namespaces into a failure.
package kerneltest
