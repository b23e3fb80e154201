// Package release is a bundle that somebody vouches for: one file of a manifest
// (serial number, times, target, digest of the bundle), an ed25519 signature over
// the manifest, and the encoded bundle. Nothing of a release is parsed before its
// signature holds but the five lines that lead to it.
//
// cmd/netpol/internal/cli signs, verifies and pulls releases; netpold is given the
// plain bundle. Imports compiler/artifact alone.
package release
