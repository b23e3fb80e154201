package flow

import "encoding/binary"

const (
	// MaxDatagrams is how many UDP payloads of a flow are kept for its
	// dissectors: a QUIC hello takes up to three Initials and their answers.
	MaxDatagrams = 8
	// maxDatagramBytes bounds their sum.
	maxDatagramBytes = 12 << 10
)

// Datagrams keeps the first UDP payloads of a flow. The zero value is ready.
type Datagrams struct {
	buf   []byte // of each payload its length, two bytes, and itself
	used  uint16
	sides uint8 // bit i: datagram i came from the server
	n     uint8
}

// lengthBytes are those before each payload.
const lengthBytes = 2

// Keep copies a payload; ok is false when a bound is reached, and then the
// payload is not kept.
func (d *Datagrams) Keep(fromServer bool, payload []byte, pool *Buffers) (ok bool) {
	end := int(d.used) + lengthBytes + len(payload)
	if d.n == MaxDatagrams || end-lengthBytes*int(d.n+1) > maxDatagramBytes {
		return false
	}
	buf, ok := pool.grow(d.buf, end)
	if !ok {
		return false
	}
	d.buf = buf
	binary.NativeEndian.PutUint16(d.buf[d.used:], uint16(len(payload)))
	copy(d.buf[d.used+lengthBytes:end], payload)
	d.used = uint16(end)
	if fromServer {
		d.sides |= 1 << d.n
	}
	d.n++
	return true
}

// Len is how many payloads are kept.
func (d *Datagrams) Len() int { return int(d.n) }

// At is the i-th payload. It stays valid until the next Keep.
func (d *Datagrams) At(i int) (fromServer bool, payload []byte) {
	rest := d.buf[:d.used]
	for n := 0; ; n++ {
		end := lengthBytes + int(binary.NativeEndian.Uint16(rest))
		if n == i {
			return d.sides&(1<<i) != 0, rest[lengthBytes:end:end]
		}
		rest = rest[end:]
	}
}

// Release returns the buffer and forgets the payloads.
func (d *Datagrams) Release(pool *Buffers) {
	pool.put(d.buf)
	*d = Datagrams{}
}
