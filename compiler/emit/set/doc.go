// Package set will make the nftables sets, verdict maps and ipsets of a
// bundle: the address groups that kernel rules look up, the verdict map that
// keeps the cost of a packet flat in the number of policies, and the sets
// that policies add flows to. Until a policy can ask for one, the compiler
// emits none, and the ruleset of compiler/emit/nft stands alone.
//
// To be called by the compiler; may import compiler/ir and compiler/artifact.
package set
