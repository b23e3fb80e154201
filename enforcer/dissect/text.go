package dissect

import (
	"net/netip"

	"github.com/netpol/netpol/lang/fact"
)

// Bounds of a DNS name in its written form (RFC 1035 section 2.3.4: 255 bytes
// on the wire).
const (
	maxHostname = 253
	maxLabel    = 63
)

// SetText makes *dst equal to b. It allocates only when they differ, so that
// a dissector called again with the same bytes costs no memory.
func SetText(dst *string, b []byte) {
	if *dst != string(b) {
		*dst = string(b)
	}
}

// SetHostname sets f.Hostname to host in its canonical form (lower case, no
// trailing dot) and f.By to by. It reports false and leaves f alone when host
// is not a host name: anything but letters, digits, hyphens, underscores and
// dots, a label over 63 bytes, an empty label, or an IPv4 address. What does
// not pass can therefore never reach a log, a terminal or a rule.
func SetHostname(f *fact.Facts, host []byte, by string) bool {
	var buf [maxHostname]byte
	name, ok := canonicalHost(&buf, host)
	if !ok {
		return false
	}
	SetText(&f.Hostname, name)
	setEvidence(f, by)
	return true
}

// setEvidence does away with an application that rests on other evidence: the
// classifier named it before, from less.
func setEvidence(f *fact.Facts, by string) {
	if f.By != by && f.By != fact.ByPayload {
		f.Application = ""
	}
	f.By = by
}

// maxAddress bounds an address in text: 45 bytes of IPv6 with embedded IPv4.
const maxAddress = 45

// SetAddress sets f.Hostname to an IP address in canonical form, where a
// protocol has one in a host's place, and f.By to by. It reports false and
// leaves f alone when b is no address, or one with a zone.
func SetAddress(f *fact.Facts, b []byte, by string) bool {
	if len(b) == 0 || len(b) > maxAddress {
		return false
	}
	addr, err := netip.ParseAddr(string(b))
	if err != nil || addr.Zone() != "" {
		return false
	}
	var buf [maxAddress + 1]byte
	SetText(&f.Hostname, addr.AppendTo(buf[:0]))
	setEvidence(f, by)
	return true
}

// canonicalHost writes host into buf in canonical form.
func canonicalHost(buf *[maxHostname]byte, host []byte) ([]byte, bool) {
	if n := len(host); n > 0 && host[n-1] == '.' {
		host = host[:n-1]
	}
	if len(host) == 0 || len(host) > maxHostname {
		return nil, false
	}
	label, digits := 0, true // of the label being read: its length; only digits so far
	for i, c := range host {
		if c == '.' {
			if label == 0 {
				return nil, false
			}
			label, digits = 0, true
			buf[i] = c
			continue
		}
		lower, ok := hostByte(c)
		if label++; !ok || label > maxLabel {
			return nil, false
		}
		digits = digits && c >= '0' && c <= '9'
		buf[i] = lower
	}
	// No top-level domain is all digits (RFC 3696 section 2): such a name is
	// an IPv4 address in one of its spellings.
	if label == 0 || digits {
		return nil, false
	}
	return buf[:len(host)], true
}

// hostByte is c in lower case, and whether it may stand in a label. The
// underscore is no letter of RFC 952 but common in real names.
func hostByte(c byte) (byte, bool) {
	switch {
	case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
		return c, true
	case c >= 'A' && c <= 'Z':
		return c + ('a' - 'A'), true
	}
	return 0, false
}

// AppendEscaped appends b to dst with every byte that is not printable ASCII,
// the backslash and the byte also written as \xNN.
func AppendEscaped(dst, b []byte, also byte) []byte {
	const hexDigits = "0123456789abcdef"
	for _, c := range b {
		if c < 0x20 || c > 0x7e || c == '\\' || c == also {
			dst = append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
			continue
		}
		dst = append(dst, c)
	}
	return dst
}
