package tls

import (
	stdtls "crypto/tls"
	"crypto/x509/pkix"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

// offer is a hello that offers protocols.
func offer(protocols ...string) []byte {
	var list []byte
	for _, p := range protocols {
		list = append(list, vector(1, []byte(p))...)
	}
	return records(plainHello(names("a.test"), extension{extALPN, vector(2, list)}), 1000)
}

func TestProtocolInside(t *testing.T) {
	for _, tt := range []struct {
		name  string
		port  uint16
		hello []byte
		want  string
	}{
		{"web", 443, offer("h2", "http/1.1"), "tls"},
		{"nothing offered", 443, records(plainHello(names("a.test")), 1000), "tls"},
		{"dot by its offer", 443, offer("dot"), "dot"},
		{"dot by its port", 853, records(plainHello(), 1000), "dot"},
		{"web on the port of dot", 853, offer("h2"), "tls"},
		{"dot among others", 443, offer("dot", "h2"), "tls"},
		{"imaps", 993, records(plainHello(names("a.test")), 1000), "imaps"},
		{"sips", 443, offer("sip/2"), "sips"},
		{"apple push", 5223, offer("apns-security-v3"), "apns"},
		{"anydesk", 443, offer("anydesk/6.2.0/linux"), "anydesk"},
		{"doq over TCP", 853, offer("doq-i11"), "doq"},
		{"GREASE only", 995, offer("\x0a\x0a"), "pop3s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var f fact.Facts
			New().Dissect(dissecttest.TCP(tt.port, dissecttest.Client(tt.hello)).Whole(), &f)
			if f.Protocol != tt.want {
				t.Errorf("got %q, want %q", f.Protocol, tt.want)
			}
			// First seen midway, the ends may be the wrong way round.
			var turned fact.Facts
			in := dissecttest.Flow{SrcPort: tt.port, DstPort: 50000, Packets: []dissecttest.Packet{dissecttest.Server(tt.hello)}}
			New().Dissect(in.Whole(), &turned)
			if turned.Protocol != tt.want {
				t.Errorf("turned round: got %q, want %q", turned.Protocol, tt.want)
			}
		})
	}
}

// TestClientAlone: the version, where only the client is seen.
func TestClientAlone(t *testing.T) {
	hello := records(specHello("h2", 0x0304, 0x0303).message(), 2000)
	const ccs = "\x14\x03\x03\x00\x01\x01"
	for _, tt := range []struct {
		name, next string
		want       int
	}{
		{"hello only", "", 0x0304},
		{"key exchange", "\x16\x03\x03\x00\x05\x10\x00\x00\x01\x00", 0x0303},
		{"resumed: encrypted Finished", ccs + "\x16\x03\x03\x00\x04\x00\x00\x00\x00", 0x0303},
		{"application data", ccs + "\x17\x03\x03\x00\x10aaaaaaaaaaaaaaaa", 0x0304},
		{"second hello", ccs + "\x16\x03\x03\x00\x04\x01\x00\x00\x00", 0x0304},
		{"record not whole", "\x16\x03\x03\x00\x05\x10\x00", 0x0304},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var f fact.Facts
			New().Dissect(dissecttest.TCP(443, dissecttest.Client(string(hello)+tt.next)).Whole(), &f)
			if f.TLSVersion != tt.want {
				t.Errorf("got %#x, want %#x", f.TLSVersion, tt.want)
			}
		})
	}
}

func TestTor(t *testing.T) {
	end := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name            string
		subject, issuer pkix.Name
		want            string
	}{
		{"relay", pkix.Name{CommonName: "www.abcdefgh234567.net"}, pkix.Name{CommonName: "www.qrstuvwx.com"}, "tor"},
		{"issuer of another kind", pkix.Name{CommonName: "www.abcdefgh234567.net"}, pkix.Name{CommonName: "R3"}, "tls"},
		{"an organisation", pkix.Name{CommonName: "www.abcdefgh234567.net", Organization: []string{"Example"}}, pkix.Name{CommonName: "www.qrstuvwx.com"}, "tls"},
		{"no base32", pkix.Name{CommonName: "www.abcdefgh-1.net"}, pkix.Name{CommonName: "www.qrstuvwx.com"}, "tls"},
		{"too short", pkix.Name{CommonName: "www.abc.net"}, pkix.Name{CommonName: "www.qrstuvwx.com"}, "tls"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cert := issued(t, tt.subject, tt.issuer, end)
			in := dissecttest.TCP(9001, record(t, &stdtls.Config{ServerName: "www.mnopqrst.com", MaxVersion: stdtls.VersionTLS12},
				&stdtls.Config{Certificates: []stdtls.Certificate{cert}})...)
			var f fact.Facts
			New().Dissect(in.Whole(), &f)
			if f.Protocol != tt.want {
				t.Errorf("got %q, want %q", f.Protocol, tt.want)
			}
		})
	}
}
