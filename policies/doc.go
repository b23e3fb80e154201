// Package policies is netpol's standard library: the application catalogue in
// catalog/ as embedded text, and example policies with their explanations in
// examples/.
//
// The tool and the compiler's callers read the catalogue here and put it into
// a bundle; the enforcer gets it with the bundle and must not import this
// package. Adding an application is a change of data, never of code.
package policies
