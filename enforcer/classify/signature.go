package classify

import (
	"fmt"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// encryptedDNS is the catalogue's tag of DNS in HTTP (RFC 8484), which over TCP as over QUIC
// looks like any other use of it.
const encryptedDNS = "doh"

// answersDNS says that a flow of TLS or QUIC goes to a host that answers DNS and
// nothing else. What its bytes show to be DNS over TLS or QUIC has that name
// already.
func (c *Classifier) answersDNS(f *fact.Facts) bool {
	if f.Protocol != "tls" && f.Protocol != "quic" || !isName(f.Hostname) {
		return false
	}
	_, ok := c.resolvers.lookup(f.Hostname)
	return ok
}

// signatureTable finds applications by values that they alone write.
type signatureTable struct {
	whole    [dissect.STUNSoftware + 1]map[string]uint16
	prefixes [dissect.STUNSoftware + 1][]signaturePrefix // few: some dozens
}

type signaturePrefix struct {
	text string
	app  uint16
}

func (t *signatureTable) add(s artifact.Signature, app int) error {
	at, ok := placeOf(s.Where)
	if !ok || s.Value == "" {
		return fmt.Errorf("add signature %q of %q: unknown place or no value", s.Value, s.Where)
	}
	value := strings.ToLower(s.Value)
	if s.Prefix {
		t.prefixes[at] = append(t.prefixes[at], signaturePrefix{value, uint16(app)})
		return nil
	}
	if t.whole[at] == nil {
		t.whole[at] = make(map[string]uint16)
	}
	t.whole[at][value] = uint16(app)
	return nil
}

// maxSignature bounds what is looked at of a value.
const maxSignature = 256

// lookup finds the application of a value: of the whole, or else of the longest
// beginning. Capitals count as small letters.
func (t *signatureTable) lookup(at dissect.Where, value []byte) (app uint16, ok bool) {
	var buf [maxSignature]byte
	whole := len(value) <= len(buf)
	value = value[:min(len(value), len(buf))]
	for i, c := range value {
		buf[i] = lower(c)
	}
	value = buf[:len(value)]
	if app, ok := t.whole[at][string(value)]; ok && whole {
		return app, true
	}
	length := 0
	for _, p := range t.prefixes[at] {
		if len(p.text) > length && len(value) >= len(p.text) && string(value[:len(p.text)]) == p.text {
			app, length = p.app, len(p.text)
		}
	}
	return app, length > 0
}

// placeOf is the dissectors' number of a place.
func placeOf(where string) (dissect.Where, bool) {
	switch where {
	case artifact.CertSubject:
		return dissect.CertSubject, true
	case artifact.CertIssuer:
		return dissect.CertIssuer, true
	case artifact.HTTPAgent:
		return dissect.HTTPAgent, true
	case artifact.HTTPPath:
		return dissect.HTTPPath, true
	case artifact.STUNRealm:
		return dissect.STUNRealm, true
	case artifact.STUNSoftware:
		return dissect.STUNSoftware, true
	}
	return 0, false
}

// Signature implements dissect.Signatures. A realm is by custom the domain of who
// runs the server (RFC 8489 section 9.2), so its suffix counts as well; that of a
// platform says no more than its address.
func (c *Classifier) Signature(where dissect.Where, value []byte) (application string, ok bool) {
	i, ok := c.signatures.lookup(where, value)
	if !ok && where == dissect.STUNRealm && len(value) <= maxHostname {
		i, ok = c.suffixes.lookup(string(value))
		ok = ok && !c.apps[i].platform
	}
	if !ok {
		return "", false
	}
	return c.apps[i].tag, true
}
