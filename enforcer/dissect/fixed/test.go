package fixed

import "bytes"

// answer is what a test makes of bytes so far.
type answer uint8

const (
	no   answer = iota // whatever follows
	more               // not enough bytes to say
	yes
)

// op is the kind of a test.
type op uint8

const (
	opAt      op = iota // text stands at offset; letters in either case where fold is set
	opIn                // the byte at offset is one of text
	opMask              // the bytes at offset, masked, are text
	opBetween           // the number at offset lies in low..high
	opLength            // the number at offset, times scale, plus add, is the length of the message
	opSkip              // the same number is where the next message begins: later tests count from there
	opSize              // the datagram has low..high bytes; a stream has at least low
	opHas               // text stands somewhere in the first high bytes
	opLine              // the first line ends with text, and is text itself
	opLineHas           // the first line ends among the first high bytes, and text stands in it
	opLast              // the datagram ends with text; a stream has no end
	opSame              // width bytes at offset are what the other side sent there; in replies only
	opAfter             // later tests count from offset on
	opElement           // an element of BER: one of the tags in text; later tests count from its contents
	opWhole             // the same, and the element is the whole message
	opOver              // the same element; later tests count from behind it
)

// test is one condition on the opening bytes of one side. It fills a cache line.
type test struct {
	op           op
	fold, little bool // either case; little-endian
	offset       int32
	width        int32 // of a number, bytes
	low, high    int32
	scale, add   int32
	text, mask   string
}

// maxMessage bounds the length that a message over TCP may announce.
const maxMessage = 1 << 20

// maxLine bounds the first line of a text protocol: a SIP or RTSP request line
// with a long URI.
const maxLine = 1024

// maxReply bounds the line of a server's reply (RFC 5321 section 4.5.3.1.5).
const maxReply = 512

func at(offset int, text string) test { return test{op: opAt, offset: int32(offset), text: text} }
func fold(offset int, text string) test {
	return test{op: opAt, offset: int32(offset), text: text, fold: true}
}
func in(offset int, set string) test { return test{op: opIn, offset: int32(offset), text: set} }

func masked(offset int, text, mask string) test {
	return test{op: opMask, offset: int32(offset), text: text, mask: mask}
}

func between(offset, width, low, high int) test {
	return test{op: opBetween, offset: int32(offset), width: int32(width), low: int32(low), high: int32(high)}
}

func betweenLE(offset, width, low, high int) test {
	return test{op: opBetween, offset: int32(offset), width: int32(width), low: int32(low), high: int32(high), little: true}
}

// length: exact for a datagram; a stream must come to hold the whole message.
func length(offset, width, add int) test { return scaled(offset, width, 1, add) }

func lengthLE(offset, width, add int) test {
	return test{op: opLength, offset: int32(offset), width: int32(width), scale: 1, add: int32(add), little: true}
}

func scaled(offset, width, scale, add int) test {
	return test{op: opLength, offset: int32(offset), width: int32(width), scale: int32(scale), add: int32(add)}
}

func skip(offset, width, scale, add int) test {
	return test{op: opSkip, offset: int32(offset), width: int32(width), scale: int32(scale), add: int32(add)}
}

func skipLE(offset, width, scale, add int) test {
	return test{op: opSkip, offset: int32(offset), width: int32(width), scale: int32(scale), add: int32(add), little: true}
}

func same(offset, width int) test {
	return test{op: opSame, offset: int32(offset), width: int32(width)}
}

// hasFold is has with letters in either case.
func hasFold(text string, within int) test {
	return test{op: opHas, text: text, high: int32(within), fold: true}
}

func after(offset int) test            { return test{op: opAfter, offset: int32(offset)} }
func element(tags string) test         { return test{op: opElement, text: tags} }
func whole(tags string) test           { return test{op: opWhole, text: tags} }
func over(tags string) test            { return test{op: opOver, text: tags} }
func size(low, high int) test          { return test{op: opSize, low: int32(low), high: int32(high)} }
func has(text string, within int) test { return test{op: opHas, text: text, high: int32(within)} }
func lineEnd(text string) test         { return test{op: opLine, text: text} }
func lineHas(text string) test         { return test{op: opLineHas, text: text, high: maxReply} }
func last(text string) test            { return test{op: opLast, text: text} }
func all(tests ...test) []test         { return tests }
func ports(p ...uint16) []uint16       { return p }
func repeat(text string, n int) string { return string(bytes.Repeat([]byte(text), n)) }
func span(low, high byte) (set string) {
	for c := int(low); c <= int(high); c++ {
		set += string([]byte{byte(c)})
	}
	return set
}

// input is the opening of one side: a datagram, or a stream so far.
type input struct {
	bytes  []byte
	stream bool
	asked  []byte // what it answers, in a reply
}

// short is the answer when bytes are missing: a datagram gets no more.
func (i input) short() answer {
	if i.stream {
		return more
	}
	return no
}

// hold answers whether all tests hold.
func (i input) hold(tests []test) answer {
	result := yes
	for k := range tests {
		a, next := tests[k].ask(i)
		if a == no {
			return no
		}
		if a == more {
			result = more
			if tests[k].moves() {
				return more
			}
		}
		i.bytes = i.bytes[next:]
	}
	return result
}

// moves says that the tests behind t count from another byte, which is not
// known while t has no answer.
func (t *test) moves() bool { return t.op == opSkip || t.op >= opAfter }

// ask answers one test; next is how many bytes the tests after it leave out.
func (t *test) ask(i input) (a answer, next int) {
	b := i.bytes
	switch t.op {
	case opAt, opIn, opMask:
		return t.askBytes(i), 0
	case opBetween, opLength, opSkip:
		if len(b) < int(t.offset+t.width) {
			return i.short(), 0
		}
		return t.askNumber(i, t.number(b[t.offset:t.offset+t.width]))
	case opSize:
		if len(b) < int(t.low) {
			return i.short(), 0
		}
		return truth(i.stream || len(b) <= int(t.high)), 0
	case opAfter:
		if len(b) < int(t.offset) {
			return i.short(), 0
		}
		return yes, int(t.offset)
	case opElement, opWhole, opOver:
		return t.askElement(i)
	case opHas:
		return t.askHas(i), 0
	case opLine:
		return t.askLine(i), 0
	case opLineHas:
		b = b[:min(len(b), int(t.high))]
		end := bytes.IndexByte(b, '\n')
		if end < 0 && len(b) < int(t.high) {
			return i.short(), 0
		}
		return t.askHas(input{bytes: b[:max(end, 0)]}), 0
	case opLast:
		if i.stream {
			return more, 0
		}
		return truth(len(b) >= len(t.text) && string(b[len(b)-len(t.text):]) == t.text), 0
	case opSame:
		end := int(t.offset + t.width)
		if min(len(b), len(i.asked)) < end {
			return i.short(), 0
		}
		return truth(string(b[t.offset:end]) == string(i.asked[t.offset:end])), 0
	}
	return no, 0
}

func truth(holds bool) answer {
	if holds {
		return yes
	}
	return no
}

// askBytes compares what is there, so that a stream fails at its first wrong
// byte.
func (t *test) askBytes(i input) answer {
	if len(i.bytes) <= int(t.offset) {
		return i.short()
	}
	b := i.bytes[t.offset:]
	if t.op == opIn {
		for k := range len(t.text) {
			if t.text[k] == b[0] {
				return yes
			}
		}
		return no
	}
	n := min(len(b), len(t.text))
	for k := range n {
		c := b[k]
		if t.op == opMask {
			c &= t.mask[k]
		}
		if c != t.text[k] && (!t.fold || upper(c) != upper(t.text[k])) {
			return no
		}
	}
	if n < len(t.text) {
		return i.short()
	}
	return yes
}

func equalFold(b []byte, text string) bool {
	for k := range len(text) {
		if upper(b[k]) != upper(text[k]) {
			return false
		}
	}
	return true
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - ('a' - 'A')
	}
	return c
}

// number reads width bytes; at most 4, so that it fits an int.
func (t *test) number(b []byte) int {
	n := 0
	for k := range b {
		if t.little {
			n |= int(b[k]) << (8 * k)
		} else {
			n = n<<8 | int(b[k])
		}
	}
	return n
}

func (t *test) askNumber(i input, n int) (a answer, next int) {
	if t.op == opBetween {
		return truth(n >= int(t.low) && n <= int(t.high)), 0
	}
	if n > maxMessage {
		return no, 0
	}
	end := n*int(t.scale) + int(t.add)
	switch {
	case end < int(t.offset+t.width) || end > maxMessage:
		return no, 0
	case t.op == opLength && !i.stream:
		return truth(end == len(i.bytes)), 0
	case len(i.bytes) < end:
		return i.short(), 0
	case t.op == opLength:
		return yes, 0
	}
	return yes, end
}

func (t *test) askHas(i input) answer {
	b := i.bytes[:min(len(i.bytes), int(t.high))]
	for k := 0; k+len(t.text) <= len(b); k++ {
		if string(b[k:k+len(t.text)]) == t.text || t.fold && equalFold(b[k:k+len(t.text)], t.text) {
			return yes
		}
	}
	if len(b) < int(t.high) {
		return i.short()
	}
	return no
}

func (t *test) askLine(i input) answer {
	b := i.bytes[:min(len(i.bytes), maxLine)]
	end := 0
	for end < len(b) && b[end] != '\n' {
		if b[end] < ' ' && b[end] != '\r' && b[end] != '\t' {
			return no // no text
		}
		end++
	}
	if end == len(b) {
		if len(b) < maxLine {
			return i.short()
		}
		return no
	}
	line := bytes.TrimSuffix(b[:end], []byte("\r"))
	return truth(len(line) >= len(t.text) && string(line[len(line)-len(t.text):]) == t.text)
}
