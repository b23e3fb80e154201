package dissect

// Wants says which late facts somebody asks for: facts that come after a
// flow's name is known, or that differ from flow to flow and would fill memory
// for nothing. Without a wish a dissector says Match as early as it can and
// leaves them out.
type Wants struct {
	Certificate bool // the server's TLS certificate: name, issuer, fingerprint, validity
	URL         bool // the target of the first HTTP request
	Agents      bool // the version lines of both sides of SSH
	STUN        bool // the addresses that STUN and TURN answers tell
	Login       bool // whether a password passes in the clear
	Answer      bool // what an HTTP server answers with
}

// WantsOf finds what attributes ask for, given those that a program reads.
func WantsOf(reads []string) Wants {
	var w Wants
	for _, name := range reads {
		switch name {
		case "tls_server_cn", "tls_subject_dn", "tls_issuer_dn", "tls_cert_fingerprint", "tls_proc_certificate":
			w.Certificate = true
		case "http_url":
			w.URL = true
		case "ssh_client_agent", "ssh_server_agent":
			w.Agents = true
		case "stun_mapped", "stun_peer", "stun_relayed", "stun_response", "stun_other":
			w.STUN = true
		case "risks", "risk_score", "risk_client", "risk_server":
			w.Certificate, w.Login, w.Answer = true, true, true
		}
	}
	return w
}
