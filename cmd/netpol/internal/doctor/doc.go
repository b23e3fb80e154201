// Package doctor looks for what keeps netpol from working on a machine, or makes
// it work otherwise than its policies say: kernel features, settings, offloads,
// other programs that want the same bits. Every finding says what to do.
//
// cmd/netpol/internal/cli calls it. It reads files below a root that tests can
// choose, and the kernel through enforcer/kernel/*; it changes nothing and prints
// nothing.
package doctor
