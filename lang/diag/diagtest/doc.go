// Package diagtest checks diagnostics against the expectations that stand in
// the source files themselves. Tests of lang and the compiler use it; production
// code may not import it.
package diagtest
