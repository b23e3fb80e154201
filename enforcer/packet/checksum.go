package packet

import "encoding/binary"

// Checksum is what was found about a packet's checksum.
type Checksum uint8

// Checksums. A sender whose network card adds the checksum hands packets on with
// the sum of the pseudo header alone (linux/skbuff.h, CHECKSUM_PARTIAL); that is
// how its own captures, and virtual links, have them.
const (
	ChecksumUnknown Checksum = iota // not captured whole, or left to hardware
	ChecksumGood
	ChecksumBad
)

// CheckTCP verifies the checksum of a TCP segment (RFC 9293, 3.1).
func (p *Parsed) CheckTCP() Checksum {
	segment := p.segment
	if segment == nil {
		return ChecksumUnknown
	}
	pseudo := sum(sum(0, p.Src[:]), p.Dst[:])
	if p.IPVersion == 4 { // without the prefix of the mapped form
		pseudo = sum(sum(0, p.Src[12:]), p.Dst[12:])
	}
	pseudo += ProtoTCP + uint64(len(segment))
	field := binary.BigEndian.Uint16(segment[16:])
	switch {
	case fold(sum(pseudo, segment)) == 0xffff:
		return ChecksumGood
	case field == 0, field == fold(pseudo), field == fold(pseudo-uint64(len(segment))):
		return ChecksumUnknown
	}
	return ChecksumBad
}

// sum adds b to an Internet checksum that is not folded yet (RFC 1071).
func sum(n uint64, b []byte) uint64 {
	for ; len(b) >= 4; b = b[4:] {
		n += uint64(binary.BigEndian.Uint32(b))
	}
	if len(b) >= 2 {
		n += uint64(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		n += uint64(b[0]) << 8
	}
	return n
}

// fold adds the carries of a sum.
func fold(n uint64) uint16 {
	for n > 0xffff {
		n = n>>16 + n&0xffff
	}
	return uint16(n)
}
