// Package lab is a router on a workbench: three network namespaces (client,
// router, server) joined by veth pairs, the traffic that crosses them, and an
// observer on the wire. Nothing in it touches the machine it runs on: Enter
// runs the program again inside namespaces of its own, where even /etc is
// private, and it needs no root for that.
//
// Traffic comes from two places: Call, a generated Zoom call among other
// conversations with the answer known for each, and Capture, packets of a file
// played back from both ends. Wire puts single packets on the links, whatever is
// wrong with them.
//
// Called by cmd/netpol/internal/demo and evasion. It prints nothing. It is the one package
// outside enforcer/kernel that may use x/sys, netlink and netns, because it
// builds the world that the kernel packages act on; it does not import them.
package lab
