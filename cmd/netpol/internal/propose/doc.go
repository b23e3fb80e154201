// Package propose turns what was found on a router into a policy set that says the
// same, with comments on where each part comes from: rules of nftables and iptables
// that mark packets, networks, classes of queues, present connections.
//
// It is pure: netpol init --from-live does the looking. Imports compiler/artifact,
// enforcer/kernel/survey and lang, whose formatter it goes through.
package propose
