package fixed

import (
	"bytes"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// maxLogin bounds how much of a client's commands is read: it logs in with its
// first few or not at all.
const maxLogin = 4096

// step is what a client's command means for its password.
type step uint8

const (
	stepOn       step = iota // none of these
	stepName                 // a login has begun, in the clear
	stepPassword             // here it is, readable
	stepSafe                 // no password will follow in the clear
)

// secured is what a protocol of lines becomes once TLS has begun (RFC 3207, 2595,
// 4217, 4642).
func secured(plain string) string {
	switch plain {
	case "smtp":
		return "smtps"
	case "pop3":
		return "pop3s"
	case "imap":
		return "imaps"
	case "ftp":
		return "ftps"
	}
	return plain
}

// readCommands follows a client's commands up to the one that settles what
// becomes of its password, and reads the TLS that begins where it asks for
// that. plain is the protocol without TLS.
func readCommands(plain string, w *dissect.Window, f *fact.Facts) dissect.Result {
	b := w.Stream[dissect.Client]
	for at := 0; at < min(len(b), maxLogin); {
		if b[at] == 0x16 || b[at] == 0x80 { // a record of TLS, or SSL 2
			from := [2]int{dissect.Client: at, dissect.Server: tlsLine(w.Stream[dissect.Server])}
			r := inside(w, from, f)
			if f.TLSVersion != 0 {
				f.Protocol = secured(plain)
			}
			return r
		}
		line, after, whole := bytes.Cut(b[at:], []byte("\n"))
		if !whole {
			break
		}
		at = len(b) - len(after)
		switch command(plain, bytes.TrimRight(line, "\r")) {
		case stepName:
			if !w.Want.Login {
				return dissect.Match
			}
		case stepPassword:
			fact.SetRisk(&f.Risks, fact.RiskCleartextCredentials, w.Want.Login)
			return dissect.Match
		case stepSafe:
			return dissect.Match
		case stepOn:
		}
	}
	if len(b) >= maxLogin || w.Closed[dissect.Client] {
		return dissect.Match
	}
	return dissect.Partial
}

// command judges one command line.
func command(tag string, line []byte) step {
	has := func(prefixes ...string) bool {
		for _, p := range prefixes {
			if len(line) >= len(p) && bytes.EqualFold(line[:len(p)], []byte(p)) {
				return true
			}
		}
		return false
	}
	switch tag {
	case "ftp": // RFC 959 section 4.1.1; RFC 1635: anonymous logins have no password
		switch {
		case has("USER ANONYMOUS", "USER FTP"):
			return stepSafe
		case has("USER "):
			return stepName
		case has("PASS "):
			return stepPassword
		}
	case "pop3": // RFC 1939 section 7, RFC 5034
		switch {
		case has("USER "):
			return stepName
		case has("PASS ", "AUTH PLAIN", "AUTH LOGIN"):
			return stepPassword
		case has("APOP ", "AUTH "):
			return stepSafe
		}
	case "smtp": // RFC 4954
		switch {
		case has("AUTH PLAIN", "AUTH LOGIN"):
			return stepPassword
		case has("AUTH ", "MAIL FROM"):
			return stepSafe
		}
	case "imap": // RFC 9051 section 6.2: a tag comes first
		if _, rest, ok := bytes.Cut(line, []byte(" ")); ok {
			line = rest
		}
		switch {
		case has("LOGIN ", "AUTHENTICATE PLAIN", "AUTHENTICATE LOGIN"):
			return stepPassword
		case has("AUTHENTICATE "):
			return stepSafe
		}
	case "nntp": // RFC 4642 section 2.2, RFC 3977 section 6: before these comes STARTTLS or not at all
		if has("AUTHINFO ", "GROUP ", "LIST", "ARTICLE ", "POST") {
			return stepSafe
		}
	}
	return stepOn
}
