// Package importer is what the importers of other people's policies share: the
// result they return, the ids of what they report, the names they may use, and
// the printing of netpol's HCL. Each format is a package below: netify,
// opengfw, qosify.
//
// An importer guesses nothing and never widens a policy: what it cannot say
// exactly becomes a policy that is switched off, with the original beside it
// and the reason in the report.
//
// Called by the packages below and by cmd/netpol. May import lang/diag,
// lang/fact and lang/suggest; the packages below also lang, for what a name may
// be, and opengfw a YAML parser.
package importer
