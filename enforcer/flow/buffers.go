package flow

// Buffer sizes: half a hello, which was padded to 517 bytes (RFC 7685), a request or an
// answer of a few lines, a segment or QUIC's first datagram, a hello with a post-quantum
// key share, its answer, and the most that is reassembled of one direction (MaxStream).
var bufferSizes = [...]int{288, 512, 1 << 10, 1536, 3 << 10, 8 << 10, 16 << 10, MaxStream}

// MaxStream is how many opening bytes of one TCP direction are reassembled.
const MaxStream = 32 << 10

// idleBytes is how much of returned buffers is kept for reuse; the rest goes
// back to the collector.
const idleBytes = 1 << 20

// Buffers hands out the memory of reassembly and bounds it: when Limit bytes
// are out, nobody gets more, and the flows that ask are decided on what they
// have. Not safe for concurrent use.
type Buffers struct {
	Limit   int // bytes that may be out at once
	out     int
	idle    int
	free    [len(bufferSizes)][][]byte
	refused uint64
}

// Out is how many bytes are in use.
func (p *Buffers) Out() int { return p.out }

// Refused is how many requests found the limit reached.
func (p *Buffers) Refused() uint64 { return p.refused }

// grow gives a buffer that holds need bytes and the contents of old, which
// returns to the pool; ok is false, and old still the caller's, when the
// limit is reached or need is more than the largest size.
func (p *Buffers) grow(old []byte, need int) (b []byte, ok bool) {
	if need <= cap(old) {
		return old[:cap(old)], true
	}
	class := 0
	for class < len(bufferSizes) && bufferSizes[class] < need {
		class++
	}
	if class == len(bufferSizes) || p.out+bufferSizes[class] > p.Limit {
		p.refused++
		return old, false
	}
	if n := len(p.free[class]); n > 0 {
		b = p.free[class][n-1]
		p.free[class] = p.free[class][:n-1]
		p.idle -= len(b)
	} else {
		b = make([]byte, bufferSizes[class])
	}
	p.out += len(b)
	copy(b, old)
	p.put(old)
	return b, true
}

// put takes a buffer back.
func (p *Buffers) put(b []byte) {
	if cap(b) == 0 {
		return
	}
	b = b[:cap(b)]
	p.out -= len(b)
	if p.idle+len(b) > idleBytes {
		return
	}
	for class, size := range bufferSizes {
		if size == len(b) {
			p.free[class] = append(p.free[class], b)
			p.idle += size
		}
	}
}
