// Package outcome says what becomes of a flow under a bundle: the policies that
// match, by the production program; the labels and marks that the enforcer
// writes; and the DSCP and verdict that the kernel then gives it, found by
// walking the bundle's own nftables rules with those labels on the flow.
//
// The tester, the semantic diff and the console of cmd/netpol call it. It
// touches neither files nor the kernel.
package outcome
