package quic

import (
	"encoding/binary"
	"strconv"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// Version numbers (IANA QUIC Versions registry).
const (
	version1     = 0x00000001 // RFC 9000
	version2     = 0x6b3343cf // RFC 9369
	version2Old  = 0x709a50c4 // draft-ietf-quic-v2-01 to 04
	draftPrefix  = 0xff0000   // draft N is 0xff0000NN
	googleQ050   = 0x51303530 // Google's, with its own hello inside
	googleT050   = 0x54303530 // Google's, with TLS
	googleT051   = 0x54303531
	facebook22   = 0xfaceb001 // mvfst, after draft 22
	facebook27   = 0xfaceb002 // mvfst, after draft 27
	facebookAlso = 0xfaceb00e // mvfst, after draft 27
)

// family is how a version keys and marks its Initial packets. Versions of one
// family differ in nothing that is read here.
type family struct {
	salt   string // of HKDF-Extract (RFC 9001 section 5.2)
	labels labels
}

// labels are the labels of HKDF-Expand-Label (RFC 9001 section 5.1; RFC 9369
// section 3.3.2).
type labels struct{ key, iv, hp string }

func labels1() labels { return labels{"quic key", "quic iv", "quic hp"} }
func labels2() labels { return labels{"quicv2 key", "quicv2 iv", "quicv2 hp"} }

// familyOf is a version's family; ok is false for versions whose Initial
// packets cannot be opened.
func familyOf(version uint32) (f family, ok bool) {
	draft := 0
	if version>>8 == draftPrefix {
		draft = int(version & 0xff)
	}
	switch {
	case version == version2:
		return family{"\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9", labels2()}, true
	case version == version2Old:
		return family{"\xa7\x07\xc2\x03\xa5\x9b\x47\x18\x4a\x1d\x62\xca\x57\x04\x06\xea\x7a\xe3\xe5\xd3", labels2()}, true
	case version == version1, draft >= 33 && draft <= 34:
		return family{"\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a", labels1()}, true
	case draft >= 29 && draft <= 32:
		return family{"\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99", labels1()}, true
	case draft >= 23 && draft <= 28, version == facebook27, version == facebookAlso:
		return family{"\xc3\xee\xf7\x12\xc7\x2e\xbb\x5a\x11\xa7\xd2\x43\x2b\xb4\x63\x65\xbe\xf9\xf5\x02", labels1()}, true
	case draft == 22, version == facebook22:
		return family{"\x7f\xbc\xdb\x0e\x7c\x66\xbb\xe9\x19\x3a\x96\xcd\x21\x51\x9e\xbd\x7a\x02\x64\x4a", labels1()}, true
	case version == googleQ050:
		return family{"\x50\x45\x74\xef\xd0\x66\xfe\x2f\x9d\x94\x5c\xfc\xdb\xd3\xa7\xf0\xd3\xb5\x6b\x45", labels1()}, true
	case version == googleT050:
		return family{"\x7f\xf5\x79\xe5\xac\xd0\x72\x91\x55\x80\x30\x4c\x43\xa2\x36\x7c\x60\x48\x83\x10", labels1()}, true
	case version == googleT051:
		return family{"\x7a\x4e\xde\xf4\xe7\xcc\xee\x5f\xa4\x50\x6c\x19\x12\x4f\xc8\xcc\xda\x6e\x03\x3d", labels1()}, true
	}
	return family{}, false
}

// knownVersion says whether a long header with this version is QUIC for sure:
// four bytes of a registered number are no accident.
func knownVersion(v uint32) bool {
	if _, ok := familyOf(v); ok {
		return true
	}
	return v>>8 == 0xfaceb0 || isDraft(v) || isGoogle(v)
}

func isDraft(v uint32) bool { return v>>8 == draftPrefix && v&0xff > 0 && v&0xff <= 34 }

// isGoogle says whether v is one of Google's versions: Q or T and three digits.
func isGoogle(v uint32) bool {
	letter := v >> 24
	return (letter == 'Q' || letter == 'T') && v>>16&0xff == '0' && isDigit(byte(v>>8)) && isDigit(byte(v))
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isReserved says whether v exists to force version negotiation (RFC 9000
// section 15).
func isReserved(v uint32) bool { return v&0x0f0f0f0f == 0x0a0a0a0a }

// headerVersion is the version that a packet's header states, long or
// Google's; 0 when it states none.
func headerVersion(b []byte) uint32 {
	switch {
	case len(b) >= 5 && b[0]&0x80 != 0:
		return binary.BigEndian.Uint32(b[1:])
	case isGoogleHeader(b):
		return binary.BigEndian.Uint32(b[9:])
	}
	return 0
}

// setVersion sets the version as criteria write it. A version that is only a
// probe, or none, is not the flow's.
func setVersion(f *fact.Facts, v uint32) {
	var buf [16]byte
	text := buf[:0]
	switch {
	case v == 0 || isReserved(v):
		return
	case v == version1:
		f.QUICVersion = "1"
		return
	case v == version2:
		f.QUICVersion = "2"
		return
	case isDraft(v):
		text = strconv.AppendUint(append(text, "draft-"...), uint64(v&0xff), 10)
	case isGoogle(v):
		text = binary.BigEndian.AppendUint32(text, v)
	default:
		text = strconv.AppendUint(append(text, "0x"...), uint64(v), 16)
	}
	dissect.SetText(&f.QUICVersion, text)
}
