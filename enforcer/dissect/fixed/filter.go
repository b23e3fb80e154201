package fixed

import (
	"encoding/binary"
	"math"
	"math/bits"
)

const (
	// filterWindow is how many bytes of an opening a filter may look at.
	filterWindow = 64
	// tail is where a head has the last eight bytes of a datagram.
	tail = filterWindow
)

// filter is what the tests of a row ask of eight neighbouring bytes, as one
// comparison, and of a datagram's size. Nearly every row is ruled out by it:
// bytes that are nobody's cost half of what asking the tests does (BenchmarkNoMatch
// with and without, in pairs, November 2026).
type filter struct {
	mask, want uint64 // of the eight bytes at offset, the first in the lowest bits
	low, high  uint16 // of a datagram's bytes
	row        uint16 // its place in the table
	offset     uint8
	at         uint8 // place of one more byte, of which a range of values is known
	from, to   uint8
}

// fixedBytes are the bits that the tests of a row ask of the first bytes.
type fixedBytes struct{ mask, want [filterWindow]byte }

// newFilter finds the eight bytes of which the tests say most, among the first or, of a
// datagram that ends with a text of eight, the last. All that they say of single bits it notes
// in fixed.
func newFilter(tests []test, fixed *fixedBytes) (best filter) {
	best.high, best.to = math.MaxUint16, math.MaxUint8
	most := 0
	for k := range tests {
		t := &tests[k]
		if t.op == opLast && len(t.text) == 8 {
			best.offset, best.mask, best.want, most = tail, math.MaxUint64, binary.LittleEndian.Uint64([]byte(t.text)), 64
		}
		if t.moves() {
			break // later offsets count from elsewhere
		}
		if t.op == opSize {
			best.low, best.high = uint16(t.low), uint16(min(max(t.low, t.high), math.MaxUint16))
		}
		t.fixedBits(&fixed.mask, &fixed.want)
		if from, to, ok := t.between(); ok && to-from < best.to-best.from {
			best.at, best.from, best.to = uint8(t.offset), from, to
		}
	}
	for at := range filterWindow - 8 + 1 {
		m := binary.LittleEndian.Uint64(fixed.mask[at:])
		if n := bits.OnesCount64(m); n > most {
			most, best.offset, best.mask = n, uint8(at), m
			best.want = binary.LittleEndian.Uint64(fixed.want[at:])
		}
	}
	return best
}

// between is the range of the one byte that a test is about, if there is one.
func (t *test) between() (from, to uint8, ok bool) {
	switch {
	case t.offset >= filterWindow:
		return 0, 0, false
	case t.op == opIn:
		from, to = t.text[0], t.text[0]
		for k := range len(t.text) {
			from, to = min(from, t.text[k]), max(to, t.text[k])
		}
		return from, to, true
	}
	return uint8(t.low), uint8(t.high), t.op == opBetween && t.width == 1
}

// fixedBits notes the bits that are the same in all bytes that pass the test.
func (t *test) fixedBits(mask, want *[filterWindow]byte) {
	note := func(at int, m, w byte) {
		if at < filterWindow && bits.OnesCount8(m) >= bits.OnesCount8(mask[at]) {
			mask[at], want[at] = m, w&m
		}
	}
	switch t.op {
	case opAt, opMask:
		for k := range len(t.text) {
			m := byte(0xff)
			if t.op == opMask {
				m = t.mask[k]
			} else if t.fold && upper(t.text[k]) != lower(t.text[k]) {
				m &^= 'a' - 'A'
			}
			note(int(t.offset)+k, m, t.text[k])
		}
	case opIn:
		every, some := byte(0xff), byte(0)
		for k := range len(t.text) {
			every &= t.text[k]
			some |= t.text[k]
		}
		note(int(t.offset), ^(every ^ some), every)
	case opBetween:
		// Above their highest different bit all numbers between agree.
		same := ^uint64(0) << bits.Len64(uint64(uint32(t.low^t.high)))
		for k := range t.width {
			shift := 8 * (t.width - 1 - k)
			if t.little {
				shift = 8 * k
			}
			note(int(t.offset+k), byte(same>>shift), byte(t.low>>shift))
		}
	case opLength, opSkip, opSize, opHas, opLine, opLineHas, opLast, opSame, opAfter, opElement, opWhole, opOver:
	}
}

// knownTo says that bytes which are all there and pass the filter pass the test.
func (t *test) knownTo(f *filter) bool {
	switch t.op {
	case opSize:
		return true
	case opLast:
		return f.offset == tail
	case opAt:
		at := int(t.offset) - int(f.offset)
		return !t.fold && at >= 0 && at+len(t.text) <= 8 && f.offset != tail && f.mask>>(8*at)&(1<<(8*len(t.text))-1) == 1<<(8*len(t.text))-1
	case opIn, opMask, opBetween, opLength, opSkip, opHas, opLine, opLineHas, opSame, opAfter, opElement, opWhole, opOver:
	}
	return false
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// head is the beginning of what is looked at, with room behind it, and the last eight bytes.
type head struct {
	bytes [filterWindow + 8]byte
	size  int // of the whole
}

func newHead(b []byte) (h head) {
	h.size = len(b)
	copy(h.bytes[:filterWindow], b)
	if len(b) >= 8 {
		copy(h.bytes[tail:], b[len(b)-8:])
	}
	return h
}

// excludes says that bytes which are there fail the row's tests. Those that are
// not there fail none.
func (f *filter) excludes(h *head, stream bool) bool {
	mask := f.mask
	if f.offset == tail {
		if stream {
			return false // it has no end
		}
	} else if there := h.size - int(f.offset); there < 8 {
		if there <= 0 {
			mask = 0
		} else {
			mask &= 1<<(8*there) - 1
		}
	}
	if binary.LittleEndian.Uint64(h.bytes[f.offset:])&mask != f.want&mask || !stream && (h.size < int(f.low) || h.size > int(f.high)) {
		return true
	}
	c := h.bytes[f.at]
	return (c < f.from || c > f.to) && int(f.at) < h.size
}
