// Package view makes text for people and JSON for machines out of what the
// other packages return: diagnostics with the source line and a caret, plans,
// the state of a router, the reasons for a verdict. It is the one place where
// wording and layout live.
//
// cmd/netpol/internal/cli calls it. It decides nothing and touches neither
// files nor the kernel; everything it shows is passed in. Text that comes from
// outside (file contents, names, host names) goes through clean or cells
// before it reaches a terminal.
package view
