// Package faults is the test suite that breaks things: it kills the tool and the
// enforcer, takes their disk, clock, interfaces and rights away, and changes the
// kernel behind their back, on the real kernel in network namespaces, and holds
// what happens against what docs/operations.md promises. It has no code of its
// own; nothing imports it.
//
// Each row of the table is one function on a trial, listed in table_test.go.
// `go test` runs short forms in some seconds; `make faults`, as root, runs the
// long ones and prints the table with figures. The programs are the test binary
// under their names, so what is broken is what is shipped.
package faults
