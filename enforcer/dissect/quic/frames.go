package quic

import "github.com/netpol/netpol/enforcer/dissect"

// Frame types that an Initial packet may carry (RFC 9000 section 12.4).
const (
	framePadding = 0x00
	framePing    = 0x01
	frameACK     = 0x02
	frameACKECN  = 0x03
	frameCrypto  = 0x06
	frameClose   = 0x1c
	// frameGoogleCrypto is CRYPTO in some of Google's T05x packets, the
	// numbering of earlier drafts.
	frameGoogleCrypto = 0x08
)

// maxHello bounds the hello that is put together; post-quantum hellos stay
// under 4 KiB.
const maxHello = 1 << 14

// hello is the client's CRYPTO stream, put together from frames in any order
// (RFC 9000 section 19.6). Of two versions of a byte the first counts.
type hello struct {
	buf  []byte
	have []bool
	end  int // how many bytes from the start are there without a hole
	// differ says that two frames have other bytes for the same place.
	differ bool
}

// readFrames adds the CRYPTO frames of one packet; it stops at the first frame
// that may not stand in an Initial.
func (s *hello) readFrames(b []byte) {
	for c := dissect.NewCursor(b); c.Len() > 0; {
		switch c.Uint8() {
		case framePadding, framePing:
		case frameACK:
			skipACK(&c, 0)
		case frameACKECN:
			skipACK(&c, 3)
		case frameCrypto, frameGoogleCrypto:
			offset := varint(&c)
			n := varint(&c)
			if !c.OK() || n > uint64(c.Len()) {
				return
			}
			s.add(offset, c.Bytes(int(n)))
		default: // CONNECTION_CLOSE, or no QUIC
			return
		}
	}
}

// skipACK passes over the rest of an ACK frame (RFC 9000 section 19.3), with
// counts of ECN marks at its end.
func skipACK(c *dissect.Cursor, counts int) {
	varint(c) // largest acknowledged
	varint(c) // delay
	ranges := varint(c)
	varint(c) // first range
	for range min(ranges, uint64(c.Len())) {
		varint(c)
		varint(c)
	}
	for range counts {
		varint(c)
	}
}

// add places the bytes of one CRYPTO frame.
func (s *hello) add(offset uint64, b []byte) {
	if offset > maxHello || offset+uint64(len(b)) > maxHello {
		return
	}
	if need := int(offset) + len(b); need > len(s.buf) {
		s.buf = append(s.buf, make([]byte, need-len(s.buf))...)
		s.have = append(s.have, make([]bool, need-len(s.have))...)
	}
	for i, v := range b {
		switch at := int(offset) + i; {
		case !s.have[at]:
			s.have[at] = true
			s.buf[at] = v
		case s.buf[at] != v:
			s.differ = true
		}
	}
	for s.end < len(s.have) && s.have[s.end] {
		s.end++
	}
}

// message is the TLS message at the start of the stream, once it is whole.
func (s *hello) message() []byte {
	c := dissect.NewCursor(s.buf[:s.end])
	c.Skip(1) // type
	body := c.Vector24()
	if !body.OK() {
		return nil
	}
	return s.buf[:4+body.Len()]
}
