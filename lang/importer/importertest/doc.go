// Package importertest is the tests that all importers share: goldens of what
// they write and report, and the proof that what they write compiles.
//
// Called by the tests of the packages beside it; no program links it.
package importertest
