package tls

import (
	stdtls "crypto/tls"
	"crypto/x509/pkix"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

// TestCertificateSignature: a product is known by a part of the names in its
// certificate where nothing else names the server.
func TestCertificateSignature(t *testing.T) {
	cert := issued(t, pkix.Name{Organization: []string{"Maker"}, CommonName: "FW1"}, pkix.Name{CommonName: "Maker CA"}, time.Now().Add(time.Hour))
	subject := dissecttest.Signed{Where: dissect.CertSubject, Value: "O=Maker", Application: "firewall"}
	issuer := dissecttest.Signed{Where: dissect.CertIssuer, Value: "CN=Maker CA", Application: "firewall"}
	wrong := dissecttest.Signed{Where: dissect.CertIssuer, Value: "O=Maker", Application: "firewall"}
	for _, tt := range []struct {
		name       string
		asked      string
		max        uint16
		known      dissecttest.Signed
		app, by    string
		serverName string
	}{
		{"by its subject", "", stdtls.VersionTLS12, subject, "firewall", fact.ByCert, "www.example.com"},
		{"by its issuer", "", stdtls.VersionTLS12, issuer, "firewall", fact.ByCert, "www.example.com"},
		{"in another place", "", stdtls.VersionTLS12, wrong, "", fact.ByCert, "www.example.com"},
		{"the client asks for a name", "a.test", stdtls.VersionTLS12, subject, "", fact.BySNI, "a.test"},
		{"TLS 1.3 hides it", "", stdtls.VersionTLS13, subject, "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := dissecttest.TCP(443, record(t, &stdtls.Config{ServerName: tt.asked, MaxVersion: tt.max}, &stdtls.Config{Certificates: []stdtls.Certificate{cert}})...)
			var f fact.Facts
			New().Dissect(in.Knowing(tt.known).Close().Whole(), &f)
			if f.Application != tt.app || f.By != tt.by || f.Hostname != tt.serverName {
				t.Errorf("got %q by %q for %q, want %q by %q for %q", f.Application, f.By, f.Hostname, tt.app, tt.by, tt.serverName)
			}
		})
	}
}

// TestCertificateOfAnAddress: an address in a name's place names nobody, so the
// certificate is waited for.
func TestCertificateOfAnAddress(t *testing.T) {
	cert := issued(t, pkix.Name{Organization: []string{"Maker"}}, pkix.Name{CommonName: "CA"}, time.Now().Add(time.Hour))
	all := record(t, &stdtls.Config{}, &stdtls.Config{MaxVersion: stdtls.VersionTLS12, Certificates: []stdtls.Certificate{cert}})
	asks := records(plainHello(names("192.0.2.1")), 1000)
	server := side(all, dissect.Server)
	known := dissecttest.Signed{Where: dissect.CertSubject, Value: "O=Maker", Application: "firewall"}
	for _, tt := range []struct {
		name   string
		server []byte
		want   dissect.Result
		app    string
	}{
		{"the server's hello", server[:recordHeaderLen+(int(server[3])<<8|int(server[4]))], dissect.Partial, ""},
		{"and its certificate", server, dissect.Match, "firewall"},
	} {
		var f fact.Facts
		in := dissecttest.TCP(443, dissecttest.Client(asks), dissecttest.Server(tt.server)).Knowing(known)
		if got := New().Dissect(in.Whole(), &f); got != tt.want || f.Application != tt.app || f.Hostname != "192.0.2.1" {
			t.Errorf("%s: got %s, %q for %q", tt.name, dissecttest.ResultName(got), f.Application, f.Hostname)
		}
	}
}

// TestCertificateOverDTLS reads the certificate that follows the server's hello in
// one datagram.
func TestCertificateOverDTLS(t *testing.T) {
	der := issued(t, pkix.Name{Organization: []string{"Maker"}}, pkix.Name{CommonName: "CA"}, time.Now().Add(time.Hour)).Certificate[0]
	hello := append(words(versionDTLS12), make([]byte, 33)...)
	hello = append(hello, 0xc0, 0x2b, 0)
	chain := vector(3, vector(3, der))
	answer := dtlsFragment(append([]byte{typeServerHello}, vector(3, hello)...), 1, 0, len(hello))
	answer = append(answer, dtlsFragment(append([]byte{typeCertificate}, vector(3, chain)...), 2, 0, len(chain))...)
	in := dissecttest.UDP(5684, dissecttest.Server(answer)).
		Knowing(dissecttest.Signed{Where: dissect.CertSubject, Value: "O=Maker", Application: "firewall"})
	var f fact.Facts
	if got := NewDTLS().Dissect(in.Whole(), &f); got != dissect.Match || f.Application != "firewall" || f.By != fact.ByCert || f.Hostname != "www.example.com" {
		t.Errorf("got %s, %q by %q for %q", dissecttest.ResultName(got), f.Application, f.By, f.Hostname)
	}
}
