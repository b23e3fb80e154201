package rtp

import "encoding/binary"

// RTCP packet types (IANA RTCP Control Packet Types).
const (
	typeSR    = 200
	typeRR    = 201
	typeBye   = 203
	typeFirst = 192 // FIR of RFC 2032
	typeLast  = 213
)

// Report says that a datagram is an RTCP compound packet: reports one behind
// the other that fill it, the first of a sender or receiver (RFC 3550 section
// 6.1) and of the length that its count of blocks asks for. A single report
// without blocks is too little to tell.
func Report(b []byte) bool {
	if len(b) < 8 || b[1] != typeSR && b[1] != typeRR {
		return false
	}
	blocks, fixed := int(b[0]&0x1f), 1
	if b[1] == typeSR {
		fixed = 6
	}
	// Profiles may extend a report (section 6.4.3).
	if words := int(binary.BigEndian.Uint16(b[2:])); words < fixed+6*blocks || words > fixed+6*blocks+8 {
		return false
	}
	bare := blocks == 0 && b[1] == typeRR
	packets := 0
	for len(b) > 0 {
		if len(b) < 4 || b[0]>>6 != 2 || b[1] < typeFirst || b[1] > typeLast {
			return false
		}
		n := 4 + 4*int(binary.BigEndian.Uint16(b[2:]))
		if n > len(b) || n < 8 && b[1] != typeBye {
			return false
		}
		b = b[n:]
		packets++
	}
	return packets > 1 || !bare
}
