package flow

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/netpol/netpol/enforcer/fuzztest"
)

// model is what Stream must come to, bytes for bytes and without any care for
// speed: each byte of the stream is that which arrived first.
type model struct {
	data   [MaxStream]byte
	have   [MaxStream]bool
	contig int
	pieces int // runs of bytes that are there
	beyond int // segments in a row that left a gap
	fin    int // -1 while it is not known
	closed bool
	differ bool
}

// beyondOpening is how many pieces lie beyond the opening.
func (m *model) beyondOpening() int {
	if m.contig > 0 {
		return m.pieces - 1
	}
	return m.pieces
}

// has says that byte i is there.
func (m *model) has(i int) bool { return i >= 0 && i < MaxStream && m.have[i] }

// touches says that [from, to) joins a piece beyond the opening.
func (m *model) touches(from, to int) bool {
	for i := max(from-1, m.contig); i <= to && i < MaxStream; i++ {
		if m.have[i] {
			return true
		}
	}
	return false
}

// add is Stream.Add; at may be negative.
func (m *model) add(at int, data []byte) {
	if m.closed || len(data) == 0 {
		return
	}
	if at < 0 {
		data = data[min(-at, len(data)):]
		at = 0
		if len(data) == 0 {
			return
		}
	}
	if at >= MaxStream {
		m.miss()
		return
	}
	data = data[:min(len(data), MaxStream-at)]
	if at <= m.contig || m.beyondOpening() < maxSpans || m.touches(at, at+len(data)) {
		m.fill(at, data)
	}
	if at > m.contig {
		m.miss()
	}
	m.settle()
}

// fill takes the bytes that are not there yet.
func (m *model) fill(at int, data []byte) {
	if at <= m.contig {
		m.beyond = 0
	}
	for i, v := range data {
		switch {
		case !m.have[at+i]:
			m.have[at+i], m.data[at+i] = true, v
			m.pieces++
			if m.has(at + i - 1) {
				m.pieces--
			}
			if m.has(at + i + 1) {
				m.pieces--
			}
		case m.data[at+i] != v:
			m.differ = true
		}
	}
	for m.contig < MaxStream && m.have[m.contig] {
		m.contig++
	}
}

func (m *model) miss() {
	m.beyond++
	m.closed = m.closed || m.beyond >= maxBeyond
}

func (m *model) settle() {
	m.closed = m.closed || m.contig >= MaxStream || m.fin >= 0 && m.contig >= m.fin
}

// maxSteps is how many segments the engine hands to a stream, and some.
const maxSteps = 32

// lengthOf makes a byte a segment's length: small ones, and some that fill the
// whole of a stream.
func lengthOf(b byte) int {
	const small = 192
	if b < small {
		return int(b)
	}
	return 48 * (int(b) - small + 1)
}

// FuzzStream plays a script of segments to a Stream and to the model. Of each
// step two bytes are the place, one the length, one the contents: runs of few
// values overlap alike and otherwise.
func FuzzStream(f *testing.F) {
	overlap := []byte{0, 0, 40, 1, 0, 20, 40, 1, 0, 10, 20, 2, 0, 60, 10, 0x81}
	var gaps []byte
	for i := range 16 {
		gaps = append(gaps, byte(i/4), byte(i*64), 32, byte(i))
	}
	seeds := [][]byte{
		append([]byte{0, 0, 0, 0}, overlap...),
		append([]byte{0xff, 0xff, 0xff, 0xe0}, overlap...), // sequence numbers wrap
		append([]byte{1, 2, 3, 4}, gaps...),
		append([]byte{1, 2, 3, 4}, bytes.Repeat([]byte{0x7f, 0xf0, 255, 3}, 40)...),
		append([]byte{9, 9, 9, 9}, 0xff, 0xf0, 64, 2, 0, 0, 1, 5),
	}
	for _, s := range seeds {
		f.Add(s)
	}
	fuzztest.Run(f, seeds, func(b []byte) uint64 { return playStream(f, b) })
	f.Fuzz(func(t *testing.T, b []byte) { playStream(t, b) })
}

func playStream(t testing.TB, script []byte) (outcome uint64) {
	t.Helper()
	if len(script) < 4 {
		return 0
	}
	pool := &Buffers{Limit: 2 * MaxStream}
	isn := binary.BigEndian.Uint32(script)
	s, m := Stream{}, &model{fin: -1}
	s.Syn(isn)
	script = script[4:min(len(script), 4+4*maxSteps)]
	for ; len(script) >= 4; script = script[4:] {
		at := int(int16(binary.BigEndian.Uint16(script)))
		data := bytes.Repeat(script[3:4], lengthOf(script[2]))
		was := s.Bytes()
		grew := s.Add(isn+1+uint32(at), data, pool)
		m.add(at, data)
		if script[3]&0x80 != 0 { // ends behind the segment
			s.Fin(isn + 1 + uint32(at+len(data)))
			if end := at + len(data); end >= m.contig {
				m.fin = end
				m.settle()
			}
		}
		if !bytes.HasPrefix(s.Bytes(), was) || grew != (len(s.Bytes()) > len(was)) {
			t.Fatalf("at %d, %d bytes: bytes that were delivered have changed, or grew is %v", at, len(data), grew)
		}
		if !bytes.Equal(s.Bytes(), m.data[:m.contig]) || s.Closed() != m.closed || s.Contradicted() != m.differ {
			t.Fatalf("at %d, %d bytes: %d bytes, closed %v, differ %v; the model has %d, %v, %v",
				at, len(data), len(s.Bytes()), s.Closed(), s.Contradicted(), m.contig, m.closed, m.differ)
		}
	}
	outcome = uint64(len(s.spans()))<<8 | uint64(s.beyond)<<16 | uint64(len(s.Bytes())>>9)<<24
	if s.Closed() {
		outcome |= 1
	}
	if s.Contradicted() {
		outcome |= 2
	}
	if s.Release(pool); pool.Out() != 0 {
		t.Fatalf("%d bytes not returned", pool.Out())
	}
	return outcome
}
