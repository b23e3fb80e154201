package fact

import (
	"slices"
	"strings"
)

// Risk is one value of the attribute "risks", as its place in Risks.
type Risk int

// Risks that a flow can show, in the order of Risks.
const (
	RiskCleartextCredentials Risk = iota
	RiskExecutable
	RiskNonstandardPort
	RiskMissingSNI
	RiskObsoleteSSH
	RiskExpiredCertificate
	RiskMismatchingCertificate
	RiskObsoleteTLS
	RiskSelfSigned
	RiskWeakCipher
)

// RiskName is a risk as criteria write it, and what it says.
type RiskName struct {
	Name   string
	Doc    string // one sentence
	Score  int    // what it adds to risk_score: nDPI's severity, 50 medium, 100 high and 150 severe
	Client int    // the client's share of Score in percent, as nDPI has it
}

// Risks lists the values of the attribute "risks", sorted by name.
var Risks = []RiskName{
	RiskCleartextCredentials:   {"cleartext_credentials", "A password passes in the clear: HTTP Basic, or a login of FTP, POP3, IMAP, SMTP or telnet without TLS.", 100, 90},
	RiskExecutable:             {"executable_transfer", "An HTTP answer without encryption is a program of Windows, Linux, Android or macOS, by the type it is given or its first bytes.", 150, 50},
	RiskNonstandardPort:        {"known_protocol_on_nonstandard_port", "The protocol was read from the flow's bytes, and neither port is one that the catalogue gives it or its kind. TLS, DTLS, QUIC, DCE/RPC, TFTP and the protocols of file sharing, games, calls and hidden DNS are at home on any port.", 50, 50},
	RiskMissingSNI:             {"missing_sni", "A TLS or QUIC client names no server, nor hides the name in an ECH extension.", 50, 50},
	RiskObsoleteSSH:            {"ssh_obsolete_version", "A side speaks SSH 1 only.", 50, 50},
	RiskExpiredCertificate:     {"tls_cert_expired", "The server's certificate was no longer valid at the time of the packet.", 100, 10},
	RiskMismatchingCertificate: {"tls_cert_mismatch", "The server's certificate is for other names than the one that the client asked for; not visible from TLS 1.3 on.", 100, 50},
	RiskObsoleteTLS:            {"tls_obsolete_version", "The server chose SSL 3, TLS 1.0 or TLS 1.1, or DTLS 1.0 (RFC 8996).", 100, 90},
	RiskSelfSigned:             {"tls_self_signed", "The server's certificate names itself as its issuer.", 100, 90},
	RiskWeakCipher:             {"tls_weak_cipher", "The server chose a cipher suite without encryption or authentication, with export keys, or with DES, 3DES, RC2, RC4 or IDEA.", 100, 90},
}

// riskNames are the names of Risks.
func riskNames() []string {
	names := make([]string, len(Risks))
	for i, r := range Risks {
		names[i] = r.Name
	}
	return names
}

// SetRisk says in list, the value of the attribute "risks", whether the flow has
// a risk. The list stays in the order of Risks. It allocates only when the list
// changes. (No method of Facts: the generator of Facts imports this package.)
func SetRisk(list *string, r Risk, has bool) {
	if HasRisk(*list, r) == has {
		return
	}
	var names []string
	if *list != "" {
		names = strings.Split(*list, ",")
	}
	at, found := slices.BinarySearch(names, Risks[r].Name)
	if found {
		names = slices.Delete(names, at, at+1)
	} else {
		names = slices.Insert(names, at, Risks[r].Name)
	}
	*list = strings.Join(names, ",")
}

// RiskScores sums the scores of a value of the attribute "risks": of all its
// risks, the client's share of them and the server's.
func RiskScores(list string) (score, client, server int) {
	if list == "" {
		return 0, 0, 0
	}
	for i, r := range Risks {
		if HasRisk(list, Risk(i)) {
			score += r.Score
			client += r.Score * r.Client / 100
		}
	}
	return score, client, score - client
}

// HasRisk says whether a value of the attribute "risks" has a risk in it.
func HasRisk(list string, r Risk) bool {
	for rest, more := list, list != ""; more; {
		var one string
		one, rest, more = strings.Cut(rest, ",")
		if one == Risks[r].Name {
			return true
		}
	}
	return false
}
