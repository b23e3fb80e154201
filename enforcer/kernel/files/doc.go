// Package files keeps the files outside the kernel that netpol has a part in:
// it writes a file so that a reader, or a power cut, meets the old or the new
// one, and it owns a marked block of connlabel.conf, leaving every other byte
// as it was.
//
// Called by enforcer/kernel and cmd/netpol. May import compiler/artifact.
package files
