// Package artifact is what the compiler hands to the enforcer: the Bundle,
// its tables and its codec. The same policy gives the same bytes on every
// host; whatever depends on the running kernel happens only when a bundle is
// applied or loaded.
//
// It is a leaf between the two programs: compiler/* writes bundles, enforcer/*
// reads them, and it imports the standard library only.
package artifact
