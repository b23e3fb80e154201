// Package scaffold holds what a new repository of policies begins with, and writes
// it without touching a file that is there.
//
// cmd/netpol/internal/cli calls it for netpol init. Imports docs/ci, for the pipelines.
package scaffold
