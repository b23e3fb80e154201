// Package outline reads from policy files what the policy set does not keep:
// comments, the extent of blocks and arguments, where locals and variables are
// defined and who refers to them.
//
// Called by compiler/lint for files that lang has parsed without an error, so
// that lang's limits hold. It may import hcl, lang and lang/diag.
package outline
