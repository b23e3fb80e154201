package quic

import (
	"encoding/binary"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// Google's QUIC before RFC 9000, up to version Q046, sends its client hello in
// the clear: a message of tags and values named CHLO ("QUIC Crypto", Langley
// and Chang, 2016). Clients of that age still live in old devices.

// isGoogleHeader recognises a client's first packets of those versions: the
// public header of Q024 to Q043 with version and eight-byte connection id
// ("QUIC Wire Layout Specification", Hamilton et al., 2016), or the long
// header of Q044 to Q049.
func isGoogleHeader(b []byte) bool {
	if len(b) < 22 {
		return false
	}
	if b[0]&0xc0 == 0xc0 { // a long header, then the lengths of both ids
		v := binary.BigEndian.Uint32(b[1:])
		return isGoogle(v) && !encryptedGoogle(v)
	}
	// The flags: a version follows, the id has eight bytes.
	return b[0]&0xc0 == 0 && b[0]&0x09 == 0x09 && isGoogle(binary.BigEndian.Uint32(b[9:])) && b[9] == 'Q'
}

// maxCHLO bounds where in a packet the CHLO begins: behind the header, a hash
// of 12 bytes and a stream frame's header.
const maxCHLO = 64

// dissectGoogle looks for the hello in the client's first packets.
func dissectGoogle(datagrams []dissect.Datagram, f *fact.Facts) dissect.Result {
	for _, d := range datagrams {
		if !isGoogleHeader(d.Payload) {
			continue
		}
		for i := 0; i < maxCHLO && i+4 <= len(d.Payload); i++ {
			if string(d.Payload[i:i+4]) == "CHLO" {
				dissect.SetHostname(f, tagValue(d.Payload[i:], "SNI\x00"), fact.BySNI)
				return dissect.Match
			}
		}
	}
	return dissect.Partial
}

// tagValue is the value of a tag in a crypto message: name, number of tags,
// padding, then for each tag its name and the end of its value, then the
// values. Numbers are little endian.
func tagValue(b []byte, tag string) []byte {
	c := dissect.NewCursor(b)
	c.Skip(4)
	count := int(c.Uint8()) | int(c.Uint8())<<8
	c.Skip(2)
	index := c.Sub(count * 8)
	values := c.Rest()
	for start := uint32(0); index.Len() > 0; {
		name, end := index.Bytes(4), index.Bytes(4)
		stop := binary.LittleEndian.Uint32(end)
		if start > stop || uint64(stop) > uint64(len(values)) {
			return nil
		}
		if string(name) == tag {
			return values[start:stop]
		}
		start = stop
	}
	return nil
}

// isGoogle says whether the stream is a CHLO with a whole index, as in Q050.
func (s *hello) isGoogle() bool {
	return s.end > 8 && string(s.buf[:4]) == "CHLO" && tagValue(s.buf[:s.end], "SNI\x00") != nil
}
