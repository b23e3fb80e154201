// Package cli is the command line of netpol: a verb a file. A verb reads its
// arguments, calls the packages that do the work, and hands what they return
// to cmd/netpol/internal/view.
//
// cmd/netpol/main.go calls Run. The package prints only through view, and
// only its tool value knows of files, terminals and flags.
//
// Exit codes of every verb: 0 success, 1 error. plan --detailed-exitcode
// adds 2: the plan holds changes.
package cli
