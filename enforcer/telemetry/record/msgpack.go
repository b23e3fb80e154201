package record

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// First bytes of values in MessagePack (its specification, "Formats").
const (
	packMap16   = 0xde
	packArray16 = 0xdc
	packFixStr  = 0xa0
	packStr8    = 0xd9
	packStr16   = 0xda
	packStr32   = 0xdb
	packFalse   = 0xc2
	packTrue    = 0xc3
	packFloat64 = 0xcb
	packUint8   = 0xcc
	packUint16  = 0xcd
	packUint32  = 0xce
	packUint64  = 0xcf
	packInt64   = 0xd3
)

// packOpen begins a map, whose members packClose counts. Two bytes for the number,
// always, so that nothing moves when it is known.
func packOpen(b []byte) []byte { return append(b, packMap16, 0, 0) }

func packClose(b []byte, start, members int) []byte {
	binary.BigEndian.PutUint16(b[start+1:], uint16(members))
	return b
}

func packArray(b []byte, n int) []byte {
	return binary.BigEndian.AppendUint16(append(b, packArray16), uint16(n))
}

// packString appends s as a string, which is UTF-8 there: bytes that are not
// become U+FFFD, as in JSON.
func packString(b []byte, s string) []byte {
	if !utf8.ValidString(s) {
		return packRepaired(b, s)
	}
	switch n := len(s); {
	case n < 32:
		b = append(b, packFixStr|byte(n))
	case n <= math.MaxUint8:
		b = append(b, packStr8, byte(n))
	case n <= math.MaxUint16:
		b = binary.BigEndian.AppendUint16(append(b, packStr16), uint16(n))
	default:
		b = binary.BigEndian.AppendUint32(append(b, packStr32), uint32(n))
	}
	return append(b, s...)
}

func packRepaired(b []byte, s string) []byte {
	start := len(b)
	b = append(b, packStr32, 0, 0, 0, 0)
	for _, r := range s {
		b = utf8.AppendRune(b, r)
	}
	binary.BigEndian.PutUint32(b[start+1:], uint32(len(b)-start-5))
	return b
}

func packStrings(b []byte, list []string) []byte {
	b = packArray(b, len(list))
	for _, s := range list {
		b = packString(b, s)
	}
	return b
}

func packNumbers(b []byte, list []uint64) []byte {
	b = packArray(b, len(list))
	for _, n := range list {
		b = packUint(b, n)
	}
	return b
}

func packList(b []byte, l List) []byte {
	n, rest := strings.Count(string(l), ","), string(l)
	if rest != "" && !strings.HasSuffix(rest, ",") {
		n++
	}
	b = packArray(b, n)
	for rest != "" {
		var word string
		word, rest, _ = strings.Cut(rest, ",")
		b = packString(b, word)
	}
	return b
}

func packBool(b []byte, v bool) []byte {
	if v {
		return append(b, packTrue)
	}
	return append(b, packFalse)
}

func packInt(b []byte, v int64) []byte {
	if v < 0 {
		return binary.BigEndian.AppendUint64(append(b, packInt64), uint64(v))
	}
	return packUint(b, uint64(v))
}

func packUint(b []byte, v uint64) []byte {
	switch {
	case v < 1<<7:
		return append(b, byte(v))
	case v <= math.MaxUint8:
		return append(b, packUint8, byte(v))
	case v <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, packUint16), uint16(v))
	case v <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, packUint32), uint32(v))
	}
	return binary.BigEndian.AppendUint64(append(b, packUint64), v)
}

// packAddr appends an address as text, empty when it is none.
func packAddr(b []byte, a netip.Addr) []byte {
	start := len(b)
	b = append(b, packStr8, 0)
	if a.IsValid() {
		b = a.AppendTo(b)
	}
	b[start+1] = byte(len(b) - start - 2)
	return b
}

func packHex16(b []byte, v Hex16) []byte {
	return append(b, packFixStr|6, '0', 'x', hexDigits[v>>12&15], hexDigits[v>>8&15], hexDigits[v>>4&15], hexDigits[v&15])
}

func packDigest(b []byte, d Digest) []byte {
	return hex.AppendEncode(append(b, packStr8, byte(hex.EncodedLen(len(d)))), d[:])
}

func packMilli(b []byte, v Milli) []byte {
	return binary.BigEndian.AppendUint64(append(b, packFloat64), math.Float64bits(float64(max(v, 0))/1000))
}

// packHosts appends a member for each host.
func packHosts(b []byte, hosts []Endpoint) []byte {
	for _, h := range hosts {
		b = packArray(packString(b, h.MAC), len(h.Addresses))
		for _, a := range h.Addresses {
			b = packAddr(b, a)
		}
	}
	return b
}

// MsgpackLen is how many bytes at the beginning of b are one value of
// MessagePack; 0 if b ends before it does or holds what AppendMsgpack never writes.
func MsgpackLen(b []byte) int {
	at := 0
	for left := 1; left > 0; left-- {
		size, inner := packedHead(b[at:])
		if size == 0 || at+size > len(b) {
			return 0
		}
		at, left = at+size, left+inner
	}
	return at
}

// packedHead is the size of the value that b begins with, without the values in
// it, and how many those are. A size of 0 is none.
func packedHead(b []byte) (size, inner int) {
	if len(b) == 0 {
		return 0, 0
	}
	number := func(bytes int) int {
		n := 0
		for i := 1; i <= bytes && i < len(b); i++ {
			n = n<<8 | int(b[i])
		}
		return n
	}
	switch c := b[0]; {
	case c < 0x80, c == packTrue, c == packFalse:
		return 1, 0
	case c&0xe0 == packFixStr:
		return 1 + int(c&0x1f), 0
	case c == packStr8:
		return 2 + number(1), 0
	case c == packStr16:
		return 3 + number(2), 0
	case c == packStr32:
		return 5 + number(4), 0
	case c == packUint8:
		return 2, 0
	case c == packUint16:
		return 3, 0
	case c == packUint32:
		return 5, 0
	case c == packUint64, c == packInt64, c == packFloat64:
		return 9, 0
	case c == packArray16:
		return 3, number(2)
	case c == packMap16:
		return 3, 2 * number(2)
	}
	return 0, 0
}
