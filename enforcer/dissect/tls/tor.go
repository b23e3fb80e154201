package tls

import (
	"bytes"
	"strings"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// Lengths of the random part of names that Tor makes up (tor's
// crypto_random_hostname: 8 to 20 characters in certificates, 4 to 25 in the
// server name, base32 in lower case).
const (
	minTorLabel, maxTorLabel = 8, 20
	minTorName, maxTorName   = 4, 25
)

// isTor says whether a certificate is a Tor relay's: made up for the connection
// (tor's tortls.c), with a random www....net as its subject and a random
// www....com as its issuer, and nothing else in either.
func (cert *leaf) isTor() bool {
	return torName(cert.subject, ".net") && torName(cert.issuer, ".com")
}

// torName reads a Name that must be one common name.
func torName(name []byte, suffix string) bool {
	c := dissect.NewCursor(name)
	set := child(&c, derSet)
	pair := child(&set, derSequence)
	oid := child(&pair, derOID)
	_, value := element(&pair)
	if c.Len() > 0 || set.Len() > 0 || !value.OK() || string(oid.Rest()) != oidCommonName {
		return false
	}
	label, ok := bytes.CutPrefix(value.Rest(), []byte("www."))
	if !ok || !bytes.HasSuffix(label, []byte(suffix)) {
		return false
	}
	return base32(string(label[:len(label)-len(suffix)]), minTorLabel, maxTorLabel)
}

// mayBeTor says whether a client's hello is worth waiting for the certificate:
// it names a host of the form that Tor makes up, and offers no protocol.
func mayBeTor(f *fact.Facts) bool {
	label, ok := strings.CutPrefix(f.Hostname, "www.")
	if !ok || f.ALPN != "" || f.TLSVersion >= version13 {
		return false
	}
	label, ok = strings.CutSuffix(label, ".com")
	return ok && base32(label, minTorName, maxTorName)
}

func base32(s string, low, high int) bool {
	if len(s) < low || len(s) > high {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}
