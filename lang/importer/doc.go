// Package importer will turn other people's policies into netpol's HCL, first
// the flow actions of Netify's agent. It lists what it could not convert and
// guesses nothing. Until it does, lang and compiler/resolve recognise the
// forms of Netify's criteria and say how they are written here.
//
// To be called by cmd/netpol. May import lang, lang/diag and lang/fact.
package importer
