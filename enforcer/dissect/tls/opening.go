package tls

// kind is what a stream opens with.
type kind uint8

const (
	kindForeign     kind = iota // no TLS
	kindUndecided               // too few bytes
	kindClientHello             // a client's first hello
	kindServerHello             // a server's first hello
	kindMidstream               // TLS records, but no hello: it was missed, or an alert came instead
)

// opening is a stream's opening.
type opening struct {
	kind kind
	// hello begins with the record of the hello, for the two hello kinds.
	hello []byte
	// settled says that later bytes would not turn a midstream into a hello.
	settled bool
	empty   bool
	sslv2   bool
}

// tls says whether these bytes are TLS for sure.
func (o *opening) tls() bool { return o.kind > kindUndecided }

// maxLeading bounds the records passed over before a hello. Some servers take
// a stray ChangeCipherSpec or warning alert first, so evaders send them.
const maxLeading = 4

// open classifies the opening of a stream. It does not allocate.
func open(b []byte) opening {
	if len(b) == 0 {
		return opening{kind: kindUndecided, empty: true}
	}
	if k := sslv2Hello(b); k != kindForeign {
		return opening{kind: k, hello: b, sslv2: true}
	}
	var o opening
	for range maxLeading {
		typ, n, st := recordHeader(b)
		switch {
		case st == headerBad:
			return o.otherwise(kindForeign)
		case st == headerShort:
			return o.otherwise(kindUndecided)
		case typ == recordHandshake:
			return o.handshake(b)
		case typ == recordApplicationData:
			// The length of an empty plaintext with its tag or MAC is 16
			// at least (RFC 8446 section 5.2, RFC 5246 section 6.2.3).
			if n < 16 {
				return o.otherwise(kindForeign)
			}
			return opening{kind: kindMidstream, settled: true}
		}
		switch k := leading(typ, n, b[recordHeaderLen:]); k {
		case kindForeign, kindUndecided:
			return o.otherwise(k)
		case kindMidstream, kindClientHello, kindServerHello:
			o.kind = kindMidstream
		}
		if n > len(b)-recordHeaderLen {
			return o
		}
		b = b[recordHeaderLen+n:]
	}
	o.settled = true
	return o
}

// otherwise is the opening when no hello stands at the current record: k,
// unless leading records have shown already that this is TLS.
func (o opening) otherwise(k kind) opening {
	if o.kind != kindMidstream {
		o.kind = k
	}
	o.settled = k == kindForeign
	return o
}

// leading judges a ChangeCipherSpec or alert record: TLS (kindMidstream),
// undecided or foreign.
func leading(typ byte, n int, body []byte) kind {
	switch {
	case typ == recordAlert && n > 2:
		return kindMidstream // an encrypted alert
	case typ == recordAlert && n < 2, typ == recordChangeCipherSpec && n != 1:
		return kindForeign
	case len(body) == 0:
		return kindUndecided
	case typ == recordAlert && body[0] != 1 && body[0] != 2: // warning, fatal (RFC 8446 section 6)
		return kindForeign
	case typ == recordChangeCipherSpec && body[0] != 1: // RFC 5246 section 7.1
		return kindForeign
	}
	return kindMidstream
}

// handshake judges the handshake record at the start of b by the first six
// bytes of its first message: type, length and, in a hello, version.
func (o opening) handshake(b []byte) opening {
	var head [6]byte
	m := messages{rest: b}
	n := m.read(head[:])
	if n == 0 {
		return o.otherwise(kindUndecided)
	}
	length := int(head[1])<<16 | int(head[2])<<8 | int(head[3])
	switch head[0] {
	case typeClientHello, typeServerHello:
		if n < len(head) && !m.ended {
			return o.otherwise(kindUndecided)
		}
		// 38 is the shortest hello: version, random, empty session,
		// cipher suite and compression (RFC 5246 section 7.4.1).
		if n < len(head) || length < 38 || length > maxMessage || head[4] != 3 || head[5] > 4 {
			return o.otherwise(kindForeign)
		}
		o.kind = kindClientHello
		if head[0] == typeServerHello {
			o.kind = kindServerHello
		}
		o.hello = b
		return o
	case typeCertificate, typeServerKeyExchange, typeServerHelloDone, typeClientKeyExchange:
		if n >= 4 && length <= maxMessage {
			return opening{kind: kindMidstream, settled: true}
		}
		if n < 4 && !m.ended {
			return o.otherwise(kindUndecided)
		}
	}
	return o.otherwise(kindForeign)
}

// sslv2Hello recognises a version 2 CLIENT-HELLO that offers SSL 3 or later
// (RFC 5246 appendix E.2), still sent by old clients: kindClientHello,
// kindUndecided or kindForeign.
func sslv2Hello(b []byte) kind {
	if b[0]&0x80 == 0 || len(b) > 2 && b[2] != typeClientHello || len(b) > 3 && b[3] != 3 || len(b) > 4 && b[4] > 3 {
		return kindForeign
	}
	if len(b) < 11 {
		return kindUndecided
	}
	length := int(b[0]&0x7f)<<8 | int(b[1])
	ciphers, session, challenge := int(b[5])<<8|int(b[6]), int(b[7])<<8|int(b[8]), int(b[9])<<8|int(b[10])
	if ciphers%3 != 0 || ciphers == 0 || session%16 != 0 || challenge < 16 || challenge > 32 ||
		length != 9+ciphers+session+challenge {
		return kindForeign
	}
	return kindClientHello
}
