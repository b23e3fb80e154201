// Package ir is the policy set after names, groups, types and the catalogue
// have been resolved: ordered policies, each with one condition tree over typed
// constants. compiler/resolve makes it, compiler/opt rewrites it and
// compiler/emit reads it.
//
// It knows nothing of HCL or of the expression language's syntax tree, and may
// import only lang/diag, lang/fact and compiler/artifact.
package ir
