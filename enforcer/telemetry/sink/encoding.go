package sink

import (
	"bytes"
	"iter"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// encoding is how records wait in a queue: one after the other, each with its end
// to be found in it.
type encoding struct {
	// add appends a record; nothing, if the sink is not to be told of it. room is
	// how many bytes will be taken: a record that is longer is dropped.
	add func(b []byte, r record.Record, room int) []byte
	// next is how many bytes the first record of b has, 0 if it does not end in b.
	next func(b []byte) int
	// head is the kind and the time of a record; empty and zero for what is none.
	head func(b []byte) (kind string, at time.Time)
	// application is the application's tag in a record, empty where it has none.
	application func(b []byte) string
	// digest is what names the flow of a record, empty where it is of none.
	digest func(b []byte) string
	// bare is a record without what ends it.
	bare func(b []byte) []byte
	// content is the media type of one record, and of several.
	content, several string
}

func encodingOf(s *artifact.Sink) encoding {
	if s.Encoding == artifact.EncodingMsgpack {
		return msgpackMaps
	}
	return jsonLines
}

// jsonLines has each record as a line.
var jsonLines = encoding{
	add:  func(b []byte, r record.Record, _ int) []byte { return append(r.AppendJSON(b), '\n') },
	next: func(b []byte) int { return bytes.IndexByte(b, '\n') + 1 },
	head: headOf, application: applicationOf, digest: digestOf,
	bare:    func(b []byte) []byte { return bytes.TrimRight(b, "\n") },
	content: "application/json", several: "application/x-ndjson",
}

// msgpackMaps has each record as a map of MessagePack, with nothing between them. The
// media type is that of the IANA's registry.
var msgpackMaps = encoding{
	add:  func(b []byte, r record.Record, _ int) []byte { return r.AppendMsgpack(b) },
	next: record.MsgpackLen,
	head: packedHeadOf, application: packedApplicationOf, digest: packedDigestOf,
	bare:    func(b []byte) []byte { return b },
	content: "application/vnd.msgpack", several: "application/vnd.msgpack",
}

// each walks over the records of b, with their ends.
func (e *encoding) each(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			n := e.next(b)
			if n == 0 || !yield(b[:n:n]) {
				return
			}
			b = b[n:]
		}
	}
}

// whole is how many bytes of b are records that end in it.
func (e *encoding) whole(b []byte) (n int) {
	for one := range e.each(b) {
		n += len(one)
	}
	return n
}

// wholeOf is how many of the first n bytes of b, which are whole records, are whole records.
func (e *encoding) wholeOf(b []byte, n int) int {
	if n == len(b) {
		return n
	}
	return e.whole(b[:n])
}

// count is how many records end in b.
func (e *encoding) count(b []byte) (n uint64) {
	for range e.each(b) {
		n++
	}
	return n
}

// batch is the first records, as many as have most bytes together, and one at least.
// What is of another encoding, from an earlier bundle's spool, is all of it.
func (e *encoding) batch(b []byte, most int) []byte {
	if len(b) <= most {
		return b
	}
	if n := max(e.whole(b[:most]), e.next(b)); n > 0 {
		return b[:n]
	}
	return b
}
