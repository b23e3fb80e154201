package tls

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	stdtls "crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

// issued is a certificate for a server, signed by another name's key.
func issued(t testing.TB, subject, issuer pkix.Name, notAfter time.Time) stdtls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parent := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: issuer}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: subject, DNSNames: []string{"www.example.com"},
		NotBefore: time.Unix(0, 0), NotAfter: notAfter,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return stdtls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestCertificateFacts(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	server := pkix.Name{Country: []string{"DE"}, Organization: []string{"Example, Inc"}, CommonName: "Exämple\n"}
	authority := pkix.Name{Organization: []string{"Authority"}, CommonName: "CA 1"}
	const subject, issuer = `C=DE, O=Example, Inc, CN=Ex\xc3\xa4mple\x0a`, "O=Authority, CN=CA 1"
	for _, tt := range []struct {
		name     string
		issuer   pkix.Name
		notAfter time.Time
		want     fact.Facts
	}{
		{"valid", authority, now.AddDate(0, 1, 0), fact.Facts{TLSIssuerDN: issuer}},
		{"expired", authority, now.Add(-time.Second), fact.Facts{TLSIssuerDN: issuer, Risks: "tls_cert_expired"}},
		{"expired in another century", authority, time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), fact.Facts{TLSIssuerDN: issuer, Risks: "tls_cert_expired"}},
		{"valid for ever", authority, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), fact.Facts{TLSIssuerDN: issuer}}, // RFC 5280 section 4.1.2.5
		{"self-signed and expired", server, now.Add(-time.Hour), fact.Facts{TLSIssuerDN: subject, Risks: "tls_cert_expired,tls_self_signed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cert := issued(t, server, tt.issuer, tt.notAfter)
			in := dissecttest.TCP(443, record(t, &stdtls.Config{ServerName: "www.example.com", NextProtos: []string{"h2", "spdy"}, MaxVersion: stdtls.VersionTLS12},
				&stdtls.Config{Certificates: []stdtls.Certificate{cert}, NextProtos: []string{"spdy"}})...)
			in.Time = now.UnixNano()

			var early fact.Facts
			if got := New().Dissect(in.Whole(), &early); got != dissect.Match || early.TLSSubjectDN != "" {
				t.Errorf("nobody asks: got %s, subject %q", dissecttest.ResultName(got), early.TLSSubjectDN)
			}
			want := early
			sum := sha1.Sum(cert.Certificate[0])
			want.TLSCertFingerprint = hex.EncodeToString(sum[:])
			want.TLSSubjectDN, want.TLSServerCN = subject, `Ex\xc3\xa4mple\x0a`
			want.TLSIssuerDN, want.Risks = tt.want.TLSIssuerDN, tt.want.Risks
			if early.TLSALPNServer != "spdy" {
				t.Errorf("the server chose %q, want spdy", early.TLSALPNServer)
			}
			var got fact.Facts
			if r := New().Dissect(in.Wanting(dissect.Wants{Certificate: true}).Whole(), &got); r != dissect.Match {
				t.Errorf("asked for: got %s, want Match", dissecttest.ResultName(r))
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateComparable(fact.Facts{})); diff != "" {
				t.Errorf("asked for (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCertificateIsNotWaitedFor cuts a flow after the server's hello: with the
// name known the flow is over, unless somebody asks for the certificate.
func TestCertificateIsNotWaitedFor(t *testing.T) {
	all := record(t, &stdtls.Config{ServerName: "shop.example.com"}, &stdtls.Config{MaxVersion: stdtls.VersionTLS12})
	server := side(all, dissect.Server)
	n := recordHeaderLen + (int(server[3])<<8 | int(server[4]))
	client := dissecttest.Client(side(all[:1], dissect.Client))
	in := dissecttest.TCP(443, client, dissecttest.Server(server[:n]))
	for _, tt := range []struct {
		name string
		in   dissecttest.Flow
		want dissect.Result
	}{
		{"not asked for", in, dissect.Match},
		{"asked for", in.Wanting(dissect.Wants{Certificate: true}), dissect.Partial},
		{"asked for, all there", dissecttest.TCP(443, client, dissecttest.Server(server)).Wanting(dissect.Wants{Certificate: true}), dissect.Match},
		{"asked for, closed", in.Wanting(dissect.Wants{Certificate: true}).Close(), dissect.Match},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var f fact.Facts
			if got := New().Dissect(tt.in.Whole(), &f); got != tt.want {
				t.Errorf("got %s, want %s", dissecttest.ResultName(got), dissecttest.ResultName(tt.want))
			}
		})
	}
}

// TestCertificateInACutMessage: a certificate that was read from a message that
// is not whole stays read when the server breaks the message off.
func TestCertificateInACutMessage(t *testing.T) {
	cert := certificate(t, "cert.test", "cert.test").Certificate[0]
	chain := vector(3, append(vector(3, cert), make([]byte, 300)...))
	message := append([]byte{typeCertificate}, vector(3, chain)...)
	server := append(records(serverHello(0x0303, 0xc02f), 1000), records(message[:len(message)-200], 1000)...)
	for name, behind := range map[string]string{
		"nothing":           "",
		"ChangeCipherSpec":  "\x14\x03\x03\x00\x01\x01\x16\x03\x03\x00\x04\x0e\x00\x00\x00",
		"application data":  "\x17\x03\x03\x00\x01a",
		"no record":         "\x00\x00",
		"record of no type": "\x19\x03\x03\x00\x01a",
	} {
		in := dissecttest.TCP(443, dissecttest.Client(records(plainHello(), 1000)), dissecttest.Server(append(slices.Clone(server), behind...)))
		var f fact.Facts
		New().Dissect(in.Whole(), &f)
		if f.Hostname != "cert.test" || f.By != fact.ByCert {
			t.Errorf("%s behind: got name %q", name, f.Hostname)
		}
	}
	resumed := append(records(serverHello(0x0303, 0xc02f), 1000), "\x14\x03\x03\x00\x01\x01"...)
	var f fact.Facts
	in := dissecttest.TCP(443, dissecttest.Client(records(plainHello(), 1000)), dissecttest.Server(append(resumed, records(message, 1000)...)))
	New().Dissect(in.Whole(), &f)
	if f.Hostname != "" {
		t.Errorf("behind a ChangeCipherSpec everything is encrypted: got name %q", f.Hostname)
	}
}

// serverHello is one of the given version and suite.
func serverHello(version, suite uint16) []byte {
	body := append(words(version), make([]byte, 33)...)
	body = append(append(body, words(suite)...), 0)
	return append([]byte{typeServerHello}, vector(3, body)...)
}

func TestHandshakeRisks(t *testing.T) {
	ech := extension{extEncryptedHello, []byte{0, 0, 1}}
	for _, tt := range []struct {
		name           string
		client         []byte
		version, suite uint16
		want           string
		ech            bool
	}{
		{"nothing wrong", plainHello(names("a.test")), 0x0303, 0xc02f, "", false},
		{"old version", plainHello(names("a.test")), 0x0302, 0xc013, "tls_obsolete_version", false},
		{"weak suite", plainHello(names("a.test")), 0x0303, 0x0005, "tls_weak_cipher", false},
		{"everything", plainHello(), 0x0300, 0x000a, "missing_sni,tls_obsolete_version,tls_weak_cipher", false},
		{"name hidden", plainHello(ech), 0x0303, 0xc02f, "", true},
		{"name shown beside", plainHello(names("a.test"), ech), 0x0303, 0xc02f, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := records(serverHello(tt.version, tt.suite), 1000)
			var f fact.Facts
			New().Dissect(dissecttest.TCP(443, dissecttest.Client(records(tt.client, 1000)), dissecttest.Server(server)).Whole(), &f)
			if f.Risks != tt.want || f.TLSECH != tt.ech || f.TLSCipher != int(tt.suite) {
				t.Errorf("got risks %q, ech %v, cipher %#x, want %q, %v, %#x", f.Risks, f.TLSECH, f.TLSCipher, tt.want, tt.ech, tt.suite)
			}
		})
	}
}

// TestMismatch: a certificate is for the names it has (RFC 6125 section 6.4).
func TestMismatch(t *testing.T) {
	for _, tt := range []struct {
		common string
		names  []string
		host   string
		want   bool
	}{
		{"a.example", nil, "a.example", true},
		{"a.example", nil, "b.example", false},
		{"A.Example", nil, "a.example", true},
		{"a.example", []string{"b.example"}, "a.example", false},
		{"a.example", []string{"b.example", "c.example"}, "c.example", true},
		{"x", []string{"*.a.example"}, "www.a.example", true},
		{"x", []string{"*.a.example"}, "a.example", false},
		{"x", []string{"*.a.example"}, "www.b.a.example", false},
		{"Router 7", nil, "a.example", false},
	} {
		cert := issuedFor(t, tt.common, tt.names)
		leaf := parseCertificate(cert)
		f := fact.Facts{Hostname: tt.host, By: fact.BySNI}
		leaf.setFacts(&f, 0)
		if got := !fact.HasRisk(f.Risks, fact.RiskMismatchingCertificate); got != tt.want {
			t.Errorf("%s, %q for %s: got %v, want %v", tt.common, tt.names, tt.host, got, tt.want)
		}
	}
	f := fact.Facts{Hostname: "a.example", By: fact.BySNI}
	broken := parseCertificate([]byte("\x30\x03abc"))
	if broken.setFacts(&f, 0); f.Risks != "" {
		t.Errorf("a certificate that cannot be read: %s", f.Risks)
	}
}

func issuedFor(t *testing.T, common string, names []string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: common}, DNSNames: names}
	parent := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
