package record

// Rendered is the members of a Detail that follow from what is known of its flow, as they stand in
// records: many flows have the same, and writing them is half of making a record. Those who
// change one of the fields that are marked so must set Detail.Rendered to nil. The zero value is
// filled when a record is made. Not safe for concurrent use.
type Rendered struct {
	json, packed []byte
	members      int // of packed
}

// longestRendered bounds what is kept of a set of members, in bytes: mostly they are 400. Longer
// ones are words that senders make up.
const longestRendered = 2048

// Reset forgets the members, and keeps the memory.
func (t *Rendered) Reset() { t.json, t.packed, t.members = t.json[:0], t.packed[:0], 0 }

// append appends the members, which write does where they have not been written before.
func (t *Rendered) append(b []byte, write func([]byte) []byte) []byte {
	switch {
	case t == nil:
		return write(b)
	case len(t.json) > 0:
		return append(b, t.json...)
	}
	start := len(b)
	b = write(b)
	if len(b)-start <= longestRendered {
		t.json = append(t.json, b[start:]...)
	}
	return b
}

// pack is append as MessagePack, and says how many members there are.
func (t *Rendered) pack(b []byte, write func([]byte) ([]byte, int)) ([]byte, int) {
	switch {
	case t == nil:
		return write(b)
	case len(t.packed) > 0:
		return append(b, t.packed...), t.members
	}
	start := len(b)
	b, n := write(b)
	if len(b)-start <= longestRendered {
		t.packed, t.members = append(t.packed, b[start:]...), n
	}
	return b, n
}
