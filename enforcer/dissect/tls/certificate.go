package tls

import (
	"bytes"
	"strings"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// firstCertificate is the server's own certificate, the first in the body of a
// Certificate message (RFC 5246 section 7.4.2); nil when it is not all there.
func firstCertificate(body []byte) []byte {
	c := dissect.NewCursor(body)
	c.Uint24() // length of the chain
	cert := c.Vector24()
	if !cert.OK() || cert.Len() == 0 {
		return nil
	}
	return cert.Rest()
}

// DER tags (X.690 section 8) of what is read here.
const (
	derSequence    = 0x30
	derSet         = 0x31
	derOID         = 0x06
	derOctets      = 0x04
	derBoolean     = 0x01
	derVersion     = 0xa0 // [0] EXPLICIT Version
	derExtensions  = 0xa3 // [3] EXPLICIT Extensions
	derDNSName     = 0x82 // [2] IMPLICIT IA5String
	oidCommonName  = "\x55\x04\x03"
	oidAlternative = "\x55\x1d\x11"
)

// leaf is what is read of a server's certificate (RFC 5280 section 4.1). Its slices alias
// the DER. Nothing is verified: all of it is the server's claim.
type leaf struct {
	der             []byte
	issuer, subject []byte // the content of a Name
	name            []byte // DNS name, or common name; nil for none
	names           []byte // the content of subjectAltName's GeneralNames, nil without one
	notAfter        int64  // nanoseconds since the Unix epoch, 0 when it cannot be read
}

// parseCertificate reads a DER certificate; what is malformed stays empty.
func parseCertificate(der []byte) leaf {
	cert := leaf{der: der}
	c := dissect.NewCursor(der)
	whole := child(&c, derSequence)
	tbs := child(&whole, derSequence)
	if b := tbs.Rest(); len(b) > 0 && b[0] == derVersion {
		element(&tbs)
	}
	element(&tbs) // serial number
	element(&tbs) // signature algorithm
	issuer := child(&tbs, derSequence)
	validity := child(&tbs, derSequence)
	subject := child(&tbs, derSequence)
	cert.issuer, cert.subject = issuer.Rest(), subject.Rest()
	element(&validity) // not before
	cert.notAfter = readTime(&validity)
	cert.names = alternativeNames(&tbs)
	cert.name = firstDNSName(cert.names)
	if cert.name == nil {
		cert.name = commonName(&subject)
	}
	return cert
}

// matches says that the certificate is for a host name: one of its DNS names, or its
// common name when it has none (RFC 6125 section 6.4), where a wildcard stands for
// the first label alone. One that cannot be read matches.
func (cert *leaf) matches(host string) bool {
	if cert.name == nil {
		return len(cert.subject) == 0
	}
	if firstDNSName(cert.names) == nil {
		return covers(cert.name, host)
	}
	for c := dissect.NewCursor(cert.names); c.Len() > 0; {
		if tag, name := element(&c); tag == derDNSName && covers(name.Rest(), host) {
			return true
		}
	}
	return false
}

// covers compares a name of a certificate with a host's, which is in lower case.
func covers(pattern []byte, host string) bool {
	pattern = bytes.TrimSuffix(pattern, []byte("."))
	if wild, ok := bytes.CutPrefix(pattern, []byte("*.")); ok {
		_, host, ok = strings.Cut(host, ".")
		if !ok {
			return false
		}
		pattern = wild
	}
	return len(pattern) == len(host) && bytes.EqualFold(pattern, []byte(host))
}

// setName sets the host name to the certificate's first DNS name, or the
// common name of its subject (RFC 6125 section 6.4.4: that is for certificates
// without one). A wildcard counts as the domain it stands in. A name without a
// dot is a device's or a product's, and no host's.
func (cert *leaf) setName(f *fact.Facts) {
	name := cert.name
	if wild, ok := bytes.CutPrefix(name, []byte("*.")); ok {
		name = wild
	}
	if bytes.IndexByte(name, '.') > 0 {
		dissect.SetHostname(f, name, fact.ByCert)
	}
}

// nameServer sets what the certificate tells of a server that nothing else has
// named: a host name, and the product whose makers signed it or put their name in
// it.
func (cert *leaf) nameServer(w *dissect.Window, f *fact.Facts) {
	if f.Hostname == "" {
		cert.setName(f)
	}
	_ = cert.sign(w, dissect.CertSubject, cert.subject, f) || cert.sign(w, dissect.CertIssuer, cert.issuer, f)
}

// sign looks for a signature among the parts of a Name.
func (cert *leaf) sign(w *dissect.Window, where dissect.Where, name []byte, f *fact.Facts) bool {
	var buf [maxPart]byte
	for short, value := range parts(name) {
		if len(short)+1+len(value) > len(buf) {
			continue
		}
		part := append(append(append(buf[:0], short...), '='), value...)
		if w.Sign(where, part, fact.ByCert, f) {
			return true
		}
	}
	return false
}

// maxPart bounds a part of a Name that may be a signature (RFC 5280 appendix A:
// ub-organization-name is 64).
const maxPart = 128

// element reads one DER element: its tag and content.
func element(c *dissect.Cursor) (tag byte, content dissect.Cursor) {
	tag = c.Uint8()
	n := int(c.Uint8())
	switch {
	case n < 0x80:
	case n == 0x81:
		n = int(c.Uint8())
	case n == 0x82:
		n = int(c.Uint16())
	case n == 0x83:
		n = c.Uint24()
	default: // indefinite, or longer than any message
		n = -1
	}
	return tag, c.Sub(n)
}

// child reads the next element, which must have the tag.
func child(c *dissect.Cursor, want byte) dissect.Cursor {
	tag, content := element(c)
	if tag != want {
		return dissect.NewCursor(nil)
	}
	return content
}

// commonName is the last common name of a Name (RFC 5280 section 4.1.2.4),
// which is the most specific.
func commonName(name *dissect.Cursor) []byte {
	var found []byte
	for name.Len() > 0 {
		set := child(name, derSet)
		pair := child(&set, derSequence)
		oid := child(&pair, derOID)
		_, value := element(&pair)
		if string(oid.Rest()) == oidCommonName && value.OK() {
			found = value.Rest()
		}
	}
	return found
}

// alternativeNames are the names of the subjectAltName extension (RFC 5280 section
// 4.2.1.6); tbs stands after the subject.
func alternativeNames(tbs *dissect.Cursor) []byte {
	for tbs.Len() > 0 {
		tag, content := element(tbs)
		if tag != derExtensions {
			continue
		}
		list := child(&content, derSequence)
		for list.Len() > 0 {
			if names := generalNames(child(&list, derSequence)); names != nil {
				return names
			}
		}
	}
	return nil
}

// generalNames are those of an Extension, when that is a subjectAltName.
func generalNames(ext dissect.Cursor) []byte {
	oid := child(&ext, derOID)
	if string(oid.Rest()) != oidAlternative {
		return nil
	}
	tag, value := element(&ext)
	if tag == derBoolean { // critical
		tag, value = element(&ext)
	}
	if tag != derOctets {
		return nil
	}
	names := child(&value, derSequence)
	return names.Rest()
}

// firstDNSName is the first DNS name of GeneralNames.
func firstDNSName(names []byte) []byte {
	for c := dissect.NewCursor(names); c.Len() > 0; {
		if tag, name := element(&c); tag == derDNSName && name.OK() {
			return name.Rest()
		}
	}
	return nil
}
