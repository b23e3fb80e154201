package dissect

import (
	"testing"

	"github.com/netpol/netpol/lang/fact"
)

func TestWantsOf(t *testing.T) {
	for name, want := range map[string]Wants{
		"application":          {},
		"tls_version":          {},
		"tls_issuer_dn":        {Certificate: true},
		"tls_cert_fingerprint": {Certificate: true},
		"http_url":             {URL: true},
		"ssh_server_agent":     {Agents: true},
		"stun_peer":            {STUN: true},
		"stun_response":        {STUN: true},
		"tls_proc_certificate": {Certificate: true},
		"risk_score":           {Certificate: true, Login: true, Answer: true},
		"risks":                {Certificate: true, Login: true, Answer: true},
	} {
		if _, ok := fact.Lookup(name); !ok {
			t.Errorf("no attribute %s", name)
		}
		if got := WantsOf([]string{"application", name}); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}
