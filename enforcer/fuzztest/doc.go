// Package fuzztest runs the invariant of a fuzz target without Go's fuzzer, whose
// worker costs more than what it asks: by count, and the same inputs each time.
// Fuzz targets of the enforcer call Run beside f.Fuzz; make fuzz-count runs them.
//
// Only tests import this package. It imports the standard library alone.
package fuzztest
