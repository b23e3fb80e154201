// Package ipset will write the ipsets that policies add flows to: hash:ip,
// hash:ip,port, hash:ip,port,ip, hash:mac and net sets, created before the
// nft batch that commits an apply and collected after it, because ipsets are
// not part of that transaction. No policy can ask for one yet.
//
// To be called by enforcer/kernel and cmd/netpold. May import
// compiler/artifact, enforcer/flow and vishvananda/netlink.
package ipset
