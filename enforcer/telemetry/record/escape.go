package record

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"
)

// List is several words joined by commas, as fact.TextList has them; its JSON is
// an array.
type List string

// Hex16 is a number of 16 bits; its JSON is "0x0303".
type Hex16 uint16

// Digest names a flow; its JSON is 40 hexadecimal digits.
type Digest [20]byte

// Milli is a number of thousandths; its JSON is a decimal number.
type Milli int64

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string that is harmless on a terminal and
// in a line-based log: control characters of both sets, line separators and
// bidirectional marks are escaped, bytes that are not UTF-8 become U+FFFD.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	n := plain(s)
	b = append(b, s[:n]...)
	if n < len(s) {
		b = appendEscaped(b, s[n:])
	}
	return append(b, '"')
}

// appendWord appends a word of netpold's own as a JSON string.
func appendWord(b []byte, s string) []byte { return append(append(append(b, '"'), s...), '"') }

// appendUint and appendInt append a number. Most are 0.
func appendUint(b []byte, v uint64) []byte {
	if v < 10 {
		return append(b, '0'+byte(v))
	}
	return strconv.AppendUint(b, v, 10)
}

func appendInt(b []byte, v int64) []byte {
	if v < 0 {
		return strconv.AppendInt(b, v, 10)
	}
	return appendUint(b, uint64(v))
}

// plain is how many bytes s begins with that stand for themselves: nearly always all.
func plain(s string) int {
	i := 0
	for ; i+8 <= len(s) && eightPlain(s[i:i+8]); i += 8 {
	}
	if i > 0 && len(s)-i < 8 && eightPlain(s[len(s)-8:]) {
		return len(s)
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			return i
		}
	}
	return len(s)
}

// eightPlain says that eight bytes stand for themselves; it may miss that they do. A byte
// of x-1&^x has its upper bit set if that of x is zero, and may if one below is
// (H. S. Warren, Hacker's Delight, 6-1).
func eightPlain(s string) bool {
	const ones = 0x0101010101010101
	_ = s[7]
	v := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	quote, backslash := v^ones*'"', v^ones*'\\'
	found := v | (v + ones) | (v-ones*0x20)&^v | (quote-ones)&^quote | (backslash-ones)&^backslash
	return found&(ones*0x80) == 0
}

func appendEscaped(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			switch {
			case c == '"' || c == '\\':
				b = append(b, '\\', c)
			case c < 0x20 || c == 0x7f:
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			default:
				b = append(b, c)
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(b, `\ufffd`...)
		case Deceptive(r):
			b = append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		default:
			b = append(b, s[i:i+size]...)
		}
		i += size
	}
	return b
}

// Deceptive says that a character changes how the text around it is shown: C1
// controls, line separators, marks of direction (Unicode TR 36), the byte
// order mark. All are below U+10000.
func Deceptive(r rune) bool {
	switch {
	case r >= 0x80 && r <= 0x9f, // C1
		r >= 0x200b && r <= 0x200f, // zero width, LRM, RLM
		r >= 0x2028 && r <= 0x202e, // separators, embeddings
		r >= 0x2060 && r <= 0x2069, // word joiner, isolates
		r == 0x061c, r == 0xfeff:
		return true
	}
	return false
}

// AppendAddr appends an address as a JSON string, empty when it is none.
func AppendAddr(b []byte, a netip.Addr) []byte {
	b = append(b, '"')
	if a.IsValid() {
		b = a.AppendTo(b)
	}
	return append(b, '"')
}

// AppendStrings appends a JSON array; nil is an empty one.
func AppendStrings(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendString(b, s)
	}
	return append(b, ']')
}

func appendNumbers(b []byte, list []uint64) []byte {
	b = append(b, '[')
	for i, n := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, n, 10)
	}
	return append(b, ']')
}

func appendList(b []byte, l List) []byte {
	b = append(b, '[')
	for rest, first := string(l), true; rest != ""; first = false {
		var word string
		word, rest, _ = strings.Cut(rest, ",")
		if !first {
			b = append(b, ',')
		}
		b = AppendString(b, word)
	}
	return append(b, ']')
}

func appendHex16(b []byte, v Hex16) []byte {
	return append(b, '"', '0', 'x', hexDigits[v>>12&15], hexDigits[v>>8&15], hexDigits[v>>4&15], hexDigits[v&15], '"')
}

func appendDigest(b []byte, d Digest) []byte {
	b = append(b, '"')
	for i := 0; i < len(d); i += 4 {
		b = binary.BigEndian.AppendUint64(b, hexOf(binary.BigEndian.Uint32(d[i:])))
	}
	return append(b, '"')
}

// hexOf is the digits of a number as text, the first in the upper byte. All at once, a digest takes 11 ns
// instead of 40 (BenchmarkDigest, 2026-11-22).
func hexOf(n uint32) uint64 {
	const ones = 0x0101010101010101
	v := uint64(n)
	v = (v | v<<16) & 0x0000ffff0000ffff
	v = (v | v<<8) & 0x00ff00ff00ff00ff
	v = (v | v<<4) & (ones * 0x0f)
	letters := (v + ones*6) >> 4 & ones // 1 where the digit is more than 9
	return v + ones*'0' + letters*('a'-'0'-10)
}

func appendMilli(b []byte, v Milli) []byte {
	v = max(v, 0)
	b = strconv.AppendInt(b, int64(v/1000), 10)
	rest := v % 1000
	return append(b, '.', hexDigits[rest/100], hexDigits[rest/10%10], hexDigits[rest%10])
}

func appendHosts(b []byte, hosts []Endpoint) []byte {
	for _, h := range hosts {
		b = AppendString(append(b, ','), h.MAC)
		b = append(b, ':', '[')
		for i, a := range h.Addresses {
			if i > 0 {
				b = append(b, ',')
			}
			b = AppendAddr(b, a)
		}
		b = append(b, ']')
	}
	return b
}

func appendAttributes(b []byte, list []Attribute) []byte {
	b = append(b, '[')
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendString(append(b, `{"attribute":`...), list[i].Name)
		b = AppendString(append(b, `,"value":`...), list[i].Value)
		b = append(b, '}')
	}
	return append(b, ']')
}

// object closes the JSON object whose members were appended from start on, each
// with a comma before it.
func object(b []byte, start int) []byte {
	if len(b) == start {
		return append(b, '{', '}')
	}
	b[start] = '{'
	return append(b, '}')
}
