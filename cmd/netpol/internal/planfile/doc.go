// Package planfile is a saved plan: the bundle that an operator reviewed, the
// lock file that goes with it, and the digest of the live state that the
// review was based on, so that apply can refuse when the router has moved
// since.
//
// cmd/netpol/internal/cli writes and reads it. A plan file is data from
// outside: Read checks everything before it returns. It may import
// compiler/artifact only.
package planfile
