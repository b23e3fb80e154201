// Package opengfw reads the rules of OpenGFW, a YAML list, and writes a policy
// for each.
//
// A rule's expr is an expression of the expr language over the properties that
// OpenGFW's analyzers give. The package reads the part of that language which
// rules use: comparisons of a property with a constant, any() over the
// questions of DNS, let, and what joins them. A property of something that is
// not there is an error in OpenGFW and ends the rule, unless it is asked for
// with ?. -- so each condition is converted twice, into when it is true and when
// it is false.
//
// Called by cmd/netpol. May import lang/importer, lang, lang/diag, lang/fact,
// lang/suggest and a YAML parser, which no other package needs: the rules are
// YAML, with positions that reports need.
package opengfw
