// Package source fetches releases, and policy files where somebody asks for
// unsigned ones: over HTTPS, out of a git repository by the git program, or from a
// local path. It bounds time and size and chooses nothing: what it brings is for
// package release to verify.
//
// cmd/netpol/internal/cli calls it for netpol pull.
package source
