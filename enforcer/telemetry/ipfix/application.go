package ipfix

import (
	"encoding/binary"
	"hash/fnv"
)

const (
	// engineL7 is the classification engine of applications that an enterprise
	// numbers (RFC 6759, 4.1, PANA-L7-PEN): its number and a selector follow.
	engineL7            = 20
	applicationIDLength = 1 + 4 + 4
)

// appendApplicationID appends an application's number: its tag's hash (FNV-1a, 32
// bits), so that it is the same on all routers and in all versions. All zeros,
// which is no engine, while no application is known.
func appendApplicationID(b []byte, pen uint32, tag string) []byte {
	if tag == "" {
		return append(b, zeros[:applicationIDLength]...)
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(tag))
	b = binary.BigEndian.AppendUint32(append(b, engineL7), pen)
	return binary.BigEndian.AppendUint32(b, h.Sum32())
}
