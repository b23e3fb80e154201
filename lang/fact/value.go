package fact

import (
	"net"
	"slices"
	"strings"
)

// IsDigest says that the value is a SHA-1 in lower-case hexadecimal digits.
func (a Attribute) IsDigest() bool {
	return a.Name == "tls_cert_fingerprint" || a.Name == "bt_info_hash"
}

// Canonical is a text constant as Facts would hold it: a hardware address in
// its usual form, one of the attribute's Values. ok is false when the
// attribute can never have that value. It knows the attribute's own rules
// only; names of the catalogue and host names are for others to check.
func (a Attribute) Canonical(text string) (value string, ok bool) {
	switch {
	case text == "":
		return "", true
	case a.IsDigest():
		return canonicalDigest(text)
	case a.Type == MAC:
		return canonicalMAC(text)
	case a.Values != nil:
		word := strings.ToLower(text)
		return word, slices.Contains(a.Values, word)
	}
	return text, true
}

// canonicalDigest reads a SHA-1 in hexadecimal digits, with or without the
// colons that OpenSSL writes.
func canonicalDigest(text string) (string, bool) {
	digits := strings.ToLower(strings.ReplaceAll(text, ":", ""))
	return digits, len(digits) == 40 && strings.Trim(digits, "0123456789abcdef") == ""
}

// canonicalMAC reads aa:bb:cc:dd:ee:ff, aa-bb-cc-dd-ee-ff and aabb.ccdd.eeff.
func canonicalMAC(text string) (string, bool) {
	mac, err := net.ParseMAC(text)
	if err != nil || len(mac) != 6 { // the 8 and 20 bytes of other links are in no flow
		return "", false
	}
	return mac.String(), true
}
