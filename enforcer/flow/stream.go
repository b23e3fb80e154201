package flow

import (
	"bytes"
	"math"
)

const (
	// maxSpans bounds how many separate pieces beyond a gap are remembered. A
	// hello of 32 KiB in 1400-byte segments, every second one missing, is 12.
	maxSpans = 12
	// maxBeyond is how many segments may arrive beyond a gap before it is
	// taken for lasting: a retransmission comes after three duplicate
	// acknowledgements (RFC 5681) and a round trip.
	maxBeyond = 16
	// MaxWindow is how far ahead of the opening a segment or an acknowledgement is believed: a window
	// without scaling (RFC 9293, 3.1), twice.
	MaxWindow = 128 << 10
)

// span is a piece of the stream that is there: [from, to).
type span struct{ from, to int32 }

// Stream reassembles the opening of one TCP direction. Segments are copied to
// their place once; where two overlap, the first to arrive counts, whatever
// the later one says. The zero value is ready.
type Stream struct {
	buf    []byte
	pieces *pieces // beyond contig; nil for most streams, which never have any
	base   uint32  // sequence number of the first byte
	contig int32   // bytes from base on without a gap
	end    int32   // 1 + where FIN says the stream ends; 0 while it has not said so
	beyond uint8
	based  bool
	closed bool
	differ bool
}

// pieces are what is there of a stream beyond a gap, in order.
type pieces struct {
	list [maxSpans]span
	n    int
}

func (s *Stream) spans() []span {
	if s.pieces == nil {
		return nil
	}
	return s.pieces.list[:s.pieces.n]
}

func (s *Stream) setSpans(list []span) {
	if s.pieces == nil {
		if len(list) == 0 {
			return
		}
		s.pieces = new(pieces)
	}
	s.pieces.n = copy(s.pieces.list[:], list)
}

// Syn says that seq is the initial sequence number of the direction. Later
// calls change nothing once bytes are there.
func (s *Stream) Syn(seq uint32) {
	if s.contig == 0 && len(s.spans()) == 0 {
		s.base, s.based = seq+1, true
	}
}

// Assume says that the direction's next byte is seq, as the other side's
// acknowledgement has it. It counts only while nothing better is known.
func (s *Stream) Assume(seq uint32) {
	if !s.based {
		s.base, s.based = seq, true
	}
}

// Fin says that the direction ends before seq. An end before bytes that are
// there is not believed.
func (s *Stream) Fin(seq uint32) {
	if !s.based {
		s.base, s.based = seq, true
	}
	if end := int32(seq - s.base); end >= s.contig && end < math.MaxInt32 {
		s.end = 1 + end
		s.settle()
	}
}

// Plausible says that a segment with that sequence number could come from the
// sender, or an acknowledgement of it from its peer: what a third party makes
// up, who has to guess, mostly is not (RFC 5961). Without a known beginning
// everything is.
func (s *Stream) Plausible(seq uint32) bool {
	off := int64(int32(seq - s.base))
	return !s.based || off >= -1 && off <= int64(s.contig)+MaxWindow
}

// Resets says that a reset with that sequence number ends the connection: it is
// the next byte's (RFC 5961, 3.2; Linux answers others with a challenge). Where
// bytes may have been missed, any in the window does.
func (s *Stream) Resets(seq uint32) bool {
	if !s.based || s.closed || len(s.spans()) > 0 {
		return s.Plausible(seq)
	}
	off := int32(seq - s.base)
	return off == s.contig || off == s.contig+1 || off == s.contig-1 // a FIN counts as a byte
}

// Contradicted says that segments overlapped and differed: the receiver may have
// read other bytes than Bytes.
func (s *Stream) Contradicted() bool { return s.differ }

// Full says that the cap was hit: there may be more than Bytes.
func (s *Stream) Full() bool { return s.contig >= MaxStream }

// Close says that no more bytes are expected.
func (s *Stream) Close() { s.closed = true }

// Bytes is the contiguous opening so far. It stays valid until Release.
func (s *Stream) Bytes() []byte { return s.buf[:s.contig] }

// Closed says that Bytes will not grow: the end was reached, a gap lasts, or
// a cap was hit.
func (s *Stream) Closed() bool { return s.closed }

// Add puts a segment in its place and says whether Bytes grew.
func (s *Stream) Add(seq uint32, data []byte, pool *Buffers) (grew bool) {
	if s.closed || len(data) == 0 {
		return false
	}
	if !s.based {
		s.base, s.based = seq, true
	}
	off := int32(seq - s.base)
	if off < 0 {
		// Bytes before the opening, or a sequence number from nowhere.
		skip := -int64(off)
		if skip >= int64(len(data)) {
			return false
		}
		off, data = 0, data[skip:]
	}
	if off >= MaxStream {
		s.miss()
		return false
	}
	to := min(int64(off)+int64(len(data)), MaxStream)
	buf, ok := pool.grow(s.buf, int(to))
	if !ok {
		s.closed = true
		return false
	}
	s.buf = buf
	before := s.contig
	s.fill(off, int32(to), data)
	if off > s.contig {
		s.miss()
	}
	s.settle()
	return s.contig > before
}

// Release returns the buffer and empties the stream.
func (s *Stream) Release(pool *Buffers) {
	pool.put(s.buf)
	*s = Stream{}
}

// miss counts a segment that lies beyond a gap.
func (s *Stream) miss() {
	s.beyond++
	if s.beyond >= maxBeyond {
		s.closed = true
	}
}

// settle closes the stream when its end is there.
func (s *Stream) settle() {
	if s.contig >= MaxStream || s.end != 0 && s.contig >= s.end-1 {
		s.closed = true
	}
}

// fill copies those bytes of [from, to) that are not there yet and records
// the piece.
func (s *Stream) fill(from, to int32, data []byte) {
	if from > s.contig && len(s.spans()) == maxSpans && !s.touches(from, to) {
		return // no room to remember it; it will be sent again or missed
	}
	at := max(from, s.contig)
	if from < s.contig {
		upTo := min(to, s.contig)
		s.differ = s.differ || !bytes.Equal(s.buf[from:upTo], data[:upTo-from])
	}
	for _, have := range s.spans() {
		if both := (span{max(at, have.from), min(to, have.to)}); both.from < both.to {
			s.differ = s.differ || !bytes.Equal(s.buf[both.from:both.to], data[both.from-from:both.to-from])
		}
		if at >= to {
			break
		}
		if have.from > at {
			copy(s.buf[at:min(to, have.from)], data[at-from:])
		}
		at = max(at, have.to)
	}
	if at < to {
		copy(s.buf[at:to], data[at-from:])
	}
	s.merge(span{from, to})
}

// touches says that the piece joins one that is remembered.
func (s *Stream) touches(from, to int32) bool {
	for _, have := range s.spans() {
		if from <= have.to && to >= have.from {
			return true
		}
	}
	return false
}

// merge adds a piece to the contiguous opening and the ordered list of pieces
// beyond it.
func (s *Stream) merge(add span) {
	if len(s.spans()) == 0 && add.from <= s.contig { // as nearly all do
		s.contig = max(s.contig, add.to)
		s.beyond = 0
		return
	}
	var kept [maxSpans + 1]span
	n, placed := 0, false
	for _, have := range s.spans() {
		switch {
		case have.to < add.from:
			kept[n] = have
			n++
		case have.from > add.to:
			if !placed {
				kept[n], placed = add, true
				n++
			}
			kept[n] = have
			n++
		default:
			add = span{min(add.from, have.from), max(add.to, have.to)}
		}
	}
	if !placed {
		kept[n] = add
		n++
	}
	first := 0
	if kept[0].from <= s.contig {
		s.contig = max(s.contig, kept[0].to)
		s.beyond = 0
		first = 1
	}
	s.setSpans(kept[first:min(n, first+maxSpans)])
}
