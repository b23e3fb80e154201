// Package dissect holds the Dissector interface, the Window a dissector reads
// and the scheduler that decides which dissectors see a flow. Each protocol
// that needs logic is a folder of its own below; protocols known by fixed
// bytes are rows of the table in dissect/fixed; dissect/all lists them.
//
// A dissector is a pure function over the opening bytes of a flow: stateless,
// safe for concurrent use, cheap to fuzz. The budget bounds the cost of
// reading the same bytes again when more arrive.
package dissect
