package sink

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// Members of a record of MessagePack as they stand in it: their names, and the first
// byte of what follows (record.AppendMsgpack).
var (
	packedType        = []byte("\xa4type")
	packedTime        = []byte("\xa9timestamp\xcf")
	packedDigest      = []byte("\xa6digest")
	packedApplication = []byte("\xb9detected_application_name")
)

// packedHeadOf is the kind and the time of a record of MessagePack, by the members
// that all of them begin with.
func packedHeadOf(b []byte) (kind string, at time.Time) {
	head := b[:min(len(b), 128)]
	_, rest, ok := bytes.Cut(head, packedType)
	_, clock, timed := bytes.Cut(rest, packedTime)
	if !ok || !timed || len(clock) < 8 {
		return "", time.Time{}
	}
	return packedWord(rest), time.UnixMilli(int64(binary.BigEndian.Uint64(clock)))
}

// packedWord is the string that b begins with, of fewer than 256 bytes as all tags
// and kinds are; empty if there is another value.
func packedWord(b []byte) string {
	n := record.MsgpackLen(b)
	switch {
	case n > 0 && b[0]&0xe0 == 0xa0:
		return string(b[1:n])
	case n > 0 && b[0] == 0xd9:
		return string(b[2:n])
	}
	return ""
}

// packedApplicationOf is the application's tag in a record of MessagePack, empty where
// it has none. Words of packets come after it.
func packedApplicationOf(b []byte) string {
	_, rest, _ := bytes.Cut(b, packedApplication)
	return packedWord(rest)
}

// packedDigestOf is what names the flow of a record of MessagePack, empty where it is
// of none. Words of packets come after it.
func packedDigestOf(b []byte) string {
	_, rest, _ := bytes.Cut(b, packedDigest)
	return packedWord(rest)
}
