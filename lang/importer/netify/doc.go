// Package netify reads the flow actions of Netify's agent (version 4's
// netify-flow-actions.json, version 5's netify-proc-flow-actions.json) and
// writes them as policies.
//
// Criteria are read by the agent's own grammar: && and || have one precedence
// and lean to the right, ! stands before an attribute only, an expression ends
// in a semicolon. What is written has netpol's parentheses and means the same.
//
// Called by cmd/netpol. May import lang/importer, lang/diag, lang/fact and
// lang/suggest.
package netify
