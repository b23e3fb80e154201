package fixed

import (
	"bytes"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// maxLogin bounds how much of a client's commands is read for a password: it
// logs in with its first few or not at all.
const maxLogin = 4096

// step is what a client's command means for its password.
type step uint8

const (
	stepOn       step = iota // none of these
	stepPassword             // here it is, readable
	stepSafe                 // no password will follow in the clear
)

// readLogin follows a client's commands up to the one that settles whether a
// password passes in the clear.
func readLogin(tag string, w *dissect.Window, f *fact.Facts) dissect.Result {
	b := w.Stream[dissect.Client]
	for rest := b; len(rest) > 0; {
		if rest[0] == 0x16 || rest[0] == 0x80 {
			return dissect.Match // TLS or SSL 2, after STARTTLS and its like
		}
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		if !whole {
			break
		}
		rest = after
		switch command(tag, bytes.ToUpper(bytes.TrimRight(line, "\r"))) {
		case stepPassword:
			fact.SetRisk(&f.Risks, fact.RiskCleartextCredentials, true)
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

// command judges one upper-case command line.
func command(tag string, line []byte) step {
	has := func(prefixes ...string) bool {
		for _, p := range prefixes {
			if bytes.HasPrefix(line, []byte(p)) {
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
		case has("PASS "):
			return stepPassword
		}
	case "pop3": // RFC 1939 section 7, RFC 5034
		switch {
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
	}
	return stepOn
}
