package dissect

import "github.com/netpol/netpol/lang/fact"

// Where says what a signature is a value of.
type Where uint8

// Places of signatures. A part of a certificate's name is written with its short
// name, "O=Example".
const (
	CertSubject  Where = iota // a part of the subject of the server's certificate
	CertIssuer                // a part of its issuer
	HTTPAgent                 // User-Agent
	HTTPPath                  // path of the request target, without its query
	STUNRealm                 // REALM (RFC 8489 section 14.9)
	STUNSoftware              // SOFTWARE (RFC 8489 section 14.14)
)

// Signatures knows values that one product alone writes in a protocol that many
// use. Signature must not retain value nor allocate.
type Signatures interface {
	Signature(where Where, value []byte) (application string, ok bool)
}

// Sign sets the application to the one that a value is a signature of, by the
// evidence given, and says whether it is one of any.
func (w *Window) Sign(where Where, value []byte, by string, f *fact.Facts) bool {
	if w.Signatures == nil || len(value) == 0 {
		return false
	}
	application, ok := w.Signatures.Signature(where, value)
	if ok {
		f.Application, f.By = application, by
	}
	return ok
}

// Inside is a window for what this one's streams carry behind the opening of
// another protocol. Its streams are empty.
func (w *Window) Inside() Window {
	return Window{SrcPort: w.SrcPort, DstPort: w.DstPort, Closed: w.Closed, Want: w.Want, Signatures: w.Signatures, Time: w.Time}
}

// IsAddress says that a host name, in the form that SetHostname and SetAddress
// give it, is an address, and so names nobody: no top-level domain is all digits.
func IsAddress(host string) bool {
	for i := len(host) - 1; i >= 0; i-- {
		switch c := host[i]; {
		case c == ':':
			return true
		case c == '.':
			return i < len(host)-1
		case c < '0' || c > '9':
			return false
		}
	}
	return false
}
