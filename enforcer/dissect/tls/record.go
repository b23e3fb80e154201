package tls

import "github.com/netpol/netpol/enforcer/dissect"

// Record content types (RFC 8446 section 5.1).
const (
	recordChangeCipherSpec = 20
	recordAlert            = 21
	recordHandshake        = 22
	recordApplicationData  = 23
)

// Handshake message types (RFC 8446 section 4, RFC 5246 section 7.4).
const (
	typeClientHello       = 1
	typeServerHello       = 2
	typeCertificate       = 11
	typeServerKeyExchange = 12
	typeServerHelloDone   = 14
	typeClientKeyExchange = 16
)

const (
	// recordHeaderLen is type, version and length.
	recordHeaderLen = 5
	// maxRecord is the longest protected record (RFC 5246 section 6.2.3:
	// 2^14 bytes and 2048 of expansion).
	maxRecord = 1<<14 + 2048
	// maxMessage bounds a handshake message; post-quantum hellos stay under
	// 4 KiB, certificate chains under 32.
	maxMessage = 1 << 16
)

// headerState is what the bytes at a record boundary are.
type headerState uint8

const (
	headerBad   headerState = iota // no TLS record
	headerShort                    // may be one
	headerWhole
)

// recordHeader reads the header at the start of b: type and payload length.
// It says headerBad as early as the bytes allow.
func recordHeader(b []byte) (typ byte, n int, st headerState) {
	if len(b) >= 1 && (b[0] < recordChangeCipherSpec || b[0] > recordApplicationData) {
		return 0, 0, headerBad
	}
	// The record's version is 3.0 to 3.3, and 3.4 in some drafts' clients.
	if len(b) >= 2 && b[1] != 3 || len(b) >= 3 && b[2] > 4 {
		return 0, 0, headerBad
	}
	if len(b) < recordHeaderLen {
		return 0, 0, headerShort
	}
	n = int(b[3])<<8 | int(b[4])
	// An empty handshake record is against RFC 8446 section 5.1, but OpenSSL
	// passes over 32 of them.
	if n == 0 && b[0] != recordHandshake || n > maxRecord {
		return 0, 0, headerBad
	}
	return b[0], n, headerWhole
}

// messages reads handshake messages out of a stream of records. A message may
// share its record with others or span several (RFC 8446 section 5.1), and the
// stream may end anywhere.
type messages struct {
	rest  []byte // records not read yet
	frag  []byte // handshake bytes of the current record not read yet
	cut   bool   // the stream ends within the current record
	ended bool   // no plaintext handshake follows, whatever bytes come
	ccs   bool   // a ChangeCipherSpec was passed
	// sealed: the message last read began behind it. Before TLS 1.3 that is
	// encrypted.
	sealed bool
}

// fill moves to the next record with handshake bytes unless some are left.
func (m *messages) fill() bool {
	for len(m.frag) == 0 {
		if m.cut || m.ended {
			return false
		}
		typ, n, st := recordHeader(m.rest)
		if st != headerWhole {
			m.ended = st == headerBad
			return false
		}
		body := m.rest[recordHeaderLen:]
		if n > len(body) {
			m.cut, n = true, len(body)
		}
		m.rest = body[n:]
		switch typ {
		case recordHandshake:
			m.frag = body[:n]
		case recordChangeCipherSpec:
			m.ccs = true
		default:
			m.ended = true
		}
	}
	return true
}

// read copies handshake bytes into dst, across records; it returns how many.
func (m *messages) read(dst []byte) int {
	n := 0
	for n < len(dst) && m.fill() {
		k := copy(dst[n:], m.frag)
		m.frag = m.frag[k:]
		n += k
	}
	return n
}

// next reads one message. whole is false at the end of the stream; body then
// holds what is there of it. body lies in the stream when the message does not
// span records, and is a copy when it does.
func (m *messages) next() (typ byte, body []byte, whole bool) {
	var head [4]byte
	got := m.read(head[:])
	if m.sealed = m.ccs; got < len(head) {
		return 0, nil, false
	}
	c := dissect.NewCursor(head[:])
	typ, n := c.Uint8(), c.Uint24()
	if n > maxMessage {
		m.ended = true
		return 0, nil, false
	}
	if n <= len(m.frag) || len(m.rest) == 0 {
		k := min(n, len(m.frag))
		body, m.frag = m.frag[:k], m.frag[k:]
		return typ, body, k == n
	}
	body = make([]byte, min(n, len(m.frag)+len(m.rest)))
	k := m.read(body)
	return typ, body[:k], k == n
}

// belowTLS13 says that a client whose server is not seen goes on as no client
// of TLS 1.3 does: behind its hello with a handshake record, in the clear or
// encrypted, that is no second hello. In TLS 1.3 what follows is application
// data to look at (RFC 8446 section 5.2).
func belowTLS13(b []byte) bool {
	m := messages{rest: b}
	if typ, _, whole := m.next(); !whole || typ != typeClientHello || len(m.frag) > 0 || m.cut {
		return false
	}
	for rest := m.rest; ; {
		typ, n, st := recordHeader(rest)
		switch {
		case st != headerWhole || len(rest) < recordHeaderLen+n:
			return false
		case n == 0:
		case typ == recordHandshake:
			return rest[recordHeaderLen] != typeClientHello
		case typ != recordChangeCipherSpec:
			return false
		}
		rest = rest[recordHeaderLen+n:]
	}
}
