package flow

const (
	// MaxDatagrams is how many UDP payloads of a flow are kept for its
	// dissectors: a QUIC hello takes up to three Initials and their answers.
	MaxDatagrams = 8
	// maxDatagramBytes bounds their sum.
	maxDatagramBytes = 12 << 10
)

// Datagrams keeps the first UDP payloads of a flow. The zero value is ready.
type Datagrams struct {
	buf   []byte
	ends  [MaxDatagrams]uint16
	sides uint8 // bit i: datagram i came from the server
	n     uint8
}

// Keep copies a payload; ok is false when a bound is reached, and then the
// payload is not kept.
func (d *Datagrams) Keep(fromServer bool, payload []byte, pool *Buffers) (ok bool) {
	start := d.bytes()
	end := start + len(payload)
	if d.n == MaxDatagrams || end > maxDatagramBytes {
		return false
	}
	buf, ok := pool.grow(d.buf, end)
	if !ok {
		return false
	}
	d.buf = buf
	copy(d.buf[start:end], payload)
	d.ends[d.n] = uint16(end)
	if fromServer {
		d.sides |= 1 << d.n
	}
	d.n++
	return true
}

func (d *Datagrams) bytes() int {
	if d.n == 0 {
		return 0
	}
	return int(d.ends[d.n-1])
}

// Len is how many payloads are kept.
func (d *Datagrams) Len() int { return int(d.n) }

// At is the i-th payload. It stays valid until the next Keep.
func (d *Datagrams) At(i int) (fromServer bool, payload []byte) {
	start := 0
	if i > 0 {
		start = int(d.ends[i-1])
	}
	return d.sides&(1<<i) != 0, d.buf[start:d.ends[i]:d.ends[i]]
}

// Release returns the buffer and forgets the payloads.
func (d *Datagrams) Release(pool *Buffers) {
	pool.put(d.buf)
	*d = Datagrams{}
}
