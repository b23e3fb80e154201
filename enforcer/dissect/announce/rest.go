package announce

import (
	"bytes"
	"encoding/binary"
)

// maxRest bounds what is kept of a message that is not whole; descriptions of
// calls are 1 to 3 kB.
const maxRest = 4 << 10

// Rest is the end of what Append has read of a TCP segment that the next segment
// goes on with: a line or a message that is not whole. It is a part of b, empty
// where b ends with a message or a message is too long to be kept.
func Rest(protocol string, b []byte) []byte {
	switch protocol {
	case "ftp", "rtsp":
		b = b[len(whole(b)):]
	case "sip":
		b = unfinished(b, sipMessage)
	case "h323":
		b = unfinished(b, tpkt)
	case "skinny":
		b = unfinished(b, skinnyMessage)
	default:
		return nil
	}
	if len(b) > maxRest {
		return nil
	}
	return b
}

// whole is b without a last line that has no end yet.
func whole(b []byte) []byte { return b[:bytes.LastIndexByte(b, '\n')+1] }

// unfinished leaves out messages that are whole. length tells how long the first
// one is, 0 where that cannot be told yet and -1 where it is none.
func unfinished(b []byte, length func([]byte) int) []byte {
	for len(b) > 0 {
		n := length(b)
		switch {
		case n < 0:
			return nil
		case n == 0 || n > len(b):
			return b
		}
		b = b[n:]
	}
	return nil
}

// sipMessage: over TCP each message tells how long its body is (RFC 3261 section
// 18.3), by the long or the short name (section 20.14).
func sipMessage(b []byte) int {
	header, _, ok := bytes.Cut(b, []byte("\r\n\r\n"))
	if !ok {
		return 0
	}
	n := len(header) + 4
	for line := range lines(header) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if name = bytes.TrimSpace(name); !bytes.EqualFold(name, []byte("Content-Length")) && !bytes.EqualFold(name, []byte("l")) {
			continue
		}
		if body, _, ok := cutNumber(bytes.TrimSpace(value)); ok {
			return n + body
		}
	}
	return n
}

// tpkt is the packet that carries a message of H.323 over TCP (RFC 1006 section 6).
func tpkt(b []byte) int {
	if b[0] != 3 {
		return -1
	}
	if len(b) < 4 {
		return 0
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n <= 4 {
		return -1
	}
	return n
}

// skinnyMessage has its length in front, less its header.
func skinnyMessage(b []byte) int {
	if len(b) < 4 {
		return 0
	}
	n := binary.LittleEndian.Uint32(b)
	if n < 4 || n > maxRest {
		return -1
	}
	return skinnyHeader + int(n)
}
