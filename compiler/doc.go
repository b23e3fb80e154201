// Package compiler turns a policy set into a bundle. Compile is the list of
// stages, in order; each stage is a package of its own below:
//
//	resolve      lang.Policy -> ir.Set     names, groups, catalogue, types
//	opt          ir.Set -> ir.Set          fold, drop dead policies, share
//	emit/label   ir -> labels and effects  bits, pinned by the lock
//	emit/nft     effects -> artifact.Ruleset
//	emit/prog    ir -> artifact.Program
//	emit/outside ir -> sets to fill, whom policies notify, and the conditions of sinks
//	artifact     the bundle and its encoding
//
// Called by cmd/netpol. It may import all of compiler and lang, never enforcer
// or cmd. It touches no file and no kernel: the same policies, lock and options
// give the same bytes on every host.
package compiler
