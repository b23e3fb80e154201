// Package flow keeps one record a connection: the canonical Key, the Table
// that finds it (one owner, no locks, bounded), the reassembly of its opening
// bytes, and timeouts on packet time.
//
// Owned by an engine worker; not safe for concurrent use.
package flow
