package fact

import (
	"net"
	"slices"
	"strings"
)

// Canonical is a text constant as Facts would hold it: a hardware address in
// its usual form, one of the attribute's Values. ok is false when the
// attribute can never have that value. It knows the attribute's own rules
// only; names of the catalogue and host names are for others to check.
func (a Attribute) Canonical(text string) (value string, ok bool) {
	switch {
	case text == "":
		return "", true
	case a.Type == MAC:
		return canonicalMAC(text)
	case a.Values != nil:
		word := strings.ToLower(text)
		return word, slices.Contains(a.Values, word)
	}
	return text, true
}

// canonicalMAC reads aa:bb:cc:dd:ee:ff, aa-bb-cc-dd-ee-ff and aabb.ccdd.eeff.
func canonicalMAC(text string) (string, bool) {
	mac, err := net.ParseMAC(text)
	if err != nil || len(mac) != 6 { // the 8 and 20 bytes of other links are in no flow
		return "", false
	}
	return mac.String(), true
}
