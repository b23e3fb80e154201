package tls

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"iter"
	"time"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// maxName bounds the text of a distinguished name.
const maxName = 512

// setFacts sets what policies may ask of a certificate. now is packet time, 0
// when not known.
func (cert *leaf) setFacts(f *fact.Facts, now int64) {
	// The fingerprint is a name, not a protection: SHA-1 is what Netify, nDPI
	// and most lists of certificates use.
	sum := sha1.Sum(cert.der)
	var digits [2 * sha1.Size]byte
	hex.Encode(digits[:], sum[:])
	dissect.SetText(&f.TLSCertFingerprint, digits[:])
	var buf [maxName]byte
	dissect.SetText(&f.TLSSubjectDN, appendName(buf[:0], cert.subject))
	dissect.SetText(&f.TLSIssuerDN, appendName(buf[:0], cert.issuer))
	subject := dissect.NewCursor(cert.subject)
	name := commonName(&subject)
	dissect.SetText(&f.TLSServerCN, dissect.AppendEscaped(buf[:0], name[:min(len(name), maxName/4)], '\\'))
	if len(cert.subject) > 0 && bytes.Equal(cert.subject, cert.issuer) {
		fact.SetRisk(&f.Risks, fact.RiskSelfSigned, true)
	}
	if now != 0 && cert.notAfter != 0 && now > cert.notAfter {
		fact.SetRisk(&f.Risks, fact.RiskExpiredCertificate, true)
	}
	if f.Hostname != "" && f.By == fact.BySNI {
		fact.SetRisk(&f.Risks, fact.RiskMismatchingCertificate, !cert.matches(f.Hostname))
	}
}

// DER tags of times (X.690 section 11).
const (
	derUTCTime         = 0x17
	derGeneralizedTime = 0x18
)

// readTime reads a Time in the one form that RFC 5280 section 4.1.2.5 allows;
// 0 for any other.
func readTime(c *dissect.Cursor) int64 {
	tag, content := element(c)
	layout := ""
	switch tag {
	case derUTCTime:
		layout = "060102150405Z"
	case derGeneralizedTime:
		layout = "20060102150405Z"
	}
	t, err := time.Parse(layout, string(content.Rest()))
	if err != nil || t.Year() >= 2262 { // past what an int64 of nanoseconds holds
		return 0
	}
	if tag == derUTCTime && t.Year() >= 2050 {
		t = t.AddDate(-100, 0, 0) // RFC 5280 section 4.1.2.5.1; Go's pivot is 2069
	}
	return t.UnixNano()
}

// attributeNames are the short names of the parts of a distinguished name by
// their object identifiers (RFC 4519, RFC 2985).
var attributeNames = []struct{ oid, name string }{
	{"\x55\x04\x03", "CN"},
	{"\x55\x04\x04", "SN"},
	{"\x55\x04\x05", "serialNumber"},
	{"\x55\x04\x06", "C"},
	{"\x55\x04\x07", "L"},
	{"\x55\x04\x08", "ST"},
	{"\x55\x04\x09", "street"},
	{"\x55\x04\x0a", "O"},
	{"\x55\x04\x0b", "OU"},
	{"\x55\x04\x0c", "title"},
	{"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "DC"},
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "emailAddress"},
}

// appendName writes a Name as "C=US, O=Example", in its own order, up to
// maxName bytes. Parts of other kinds are left out.
func appendName(to, name []byte) []byte {
	start := len(to)
	for short, value := range parts(name) {
		before := len(to)
		if before > start {
			to = append(to, ", "...)
		}
		to = append(append(to, short...), '=')
		to = dissect.AppendEscaped(to, value, '\\')
		if len(to)-start > maxName {
			return to[:before]
		}
	}
	return to
}

// parts are those of a Name whose kinds are known, with the short names of their
// kinds (RFC 5280 section 4.1.2.4).
func parts(name []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for c := dissect.NewCursor(name); c.Len() > 0; {
			set := child(&c, derSet)
			for set.Len() > 0 {
				pair := child(&set, derSequence)
				oid := child(&pair, derOID)
				_, value := element(&pair)
				if short := attributeName(oid.Rest()); short != "" && value.OK() && !yield(short, value.Rest()) {
					return
				}
			}
		}
	}
}

func attributeName(oid []byte) string {
	for _, a := range attributeNames {
		if a.oid == string(oid) {
			return a.name
		}
	}
	return ""
}
