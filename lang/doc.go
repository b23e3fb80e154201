// Package lang reads a directory of HCL policy files into a typed Policy in
// which every node keeps its source range. It knows the blocks and their
// arguments, evaluates variables and locals, and checks everything that can be
// checked without the catalogue; what criteria mean is compiler/resolve's
// business.
//
// cmd/netpol and the compiler call it. HCL ends here: no type of hcl or cty
// leaves the package. It may import lang/diag, lang/fact, lang/quantity,
// lang/suggest and hcl.
//
// Mistakes of the author come back as diagnostics and never stop the reading;
// the returned Policy is as complete as the files allow.
package lang
