// Package iprule keeps the routing rules ("ip rule") that send marked packets to
// another routing table. cmd/netpol calls it; it may import compiler/artifact and
// vishvananda/netlink.
//
// A rule of netpol's is known by its protocol number, so that others' rules of
// the same mark or priority are never taken for one.
package iprule
