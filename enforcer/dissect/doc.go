// Package dissect holds the Dissector interface, the Window a dissector reads,
// the Scheduler that decides which dissectors see a flow and in which order,
// and what every dissector needs to read outside bytes safely: Cursor, which
// cannot run past the end, and the setters that let only clean text into the
// facts. Each protocol that needs logic is a folder of its own below;
// protocols known by fixed bytes are rows of the table in dissect/fixed;
// dissect/all lists them in the order the engine tries them.
//
// A dissector is a pure function over the opening bytes of a flow: stateless,
// safe for concurrent use, cheap to fuzz. The budget bounds the cost of
// reading the same bytes again when more arrive. Its contract is tested by
// dissecttest.Run, which every dissector's test calls.
//
// The engine (package enforcer) calls dissectors. dissect and the folders
// below import packet, fact, each other and the standard library, never the
// kernel, the classifier or the language.
package dissect
