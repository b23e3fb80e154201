// Package resolve turns a lang.Policy into an ir.Set: it merges the set's own
// applications into the catalogue, flattens address groups, parses criteria and
// checks every name, type and constant in them, with a range for each mistake.
//
// compiler.Compile calls it. It is the only package that reads the expression
// language's syntax tree, and may import only lang, lang/diag, lang/fact,
// lang/suggest, compiler/artifact, compiler/ir and expr's parser and ast.
package resolve
