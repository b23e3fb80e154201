// Package revision reads a policy directory as it was at a git revision, by the
// git command: from git's object store into memory, without a checkout, so that
// neither the work tree nor the index is touched and no hook or filter runs.
//
// cmd/netpol/internal/cli calls it for netpol diff.
package revision
