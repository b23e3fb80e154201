// Package record is what netpold tells of the network, event by event: the
// record types as Go structs, their names on the wire and their JSON.
//
// Names are those of Netify Agent v5's telemetry where it has them, so that what
// reads its stream reads this one: local and other are the two sides, times are
// milliseconds since the Unix epoch, and what has a number there has its
// catalogue tag here (detected_application_name). The encoders in zencode.go (JSON)
// and zmsgpack.go (MessagePack, the same members and values) and the JSON Schemas in
// docs/schemas are generated from the structs; encoding allocates nothing beyond
// the buffer's growth. Words come from packets and are
// hostile: everything goes through one escaping encoder (escape.go).
//
// The engine fills records, telemetry/sink carries them. A leaf: it imports the
// standard library only.
package record

// An encoder of other types than there are now does not compile, and the
// generator reads the types.
//
//go:generate rm -f zencode.go zmsgpack.go
//go:generate go run ./internal/genrecord
