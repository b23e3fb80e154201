package classify

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// makers is a catalogue of a maker whose products are known by what they write.
func makers(t testing.TB) *Classifier {
	t.Helper()
	sign := func(where, value string, prefix bool) artifact.Signature {
		return artifact.Signature{Where: where, Value: value, Prefix: prefix}
	}
	c, err := New(&artifact.Catalogue{
		Protocols: []artifact.Protocol{{Tag: "http", Category: "web"}, {Tag: "tls", Category: "web"}},
		Applications: []artifact.Application{
			{Tag: "aws", Category: "cloud", Domains: []string{"aws.example"}, Networks: prefixes("198.51.100.0/24")},
			{Tag: "maker", Category: "security", Domains: []string{"maker.example"}, Networks: prefixes("203.0.113.0/24"), Signatures: []artifact.Signature{
				sign(artifact.CertSubject, "O=Maker", true), sign(artifact.HTTPAgent, "Maker/1", false),
			}},
			{Tag: "maker-push", Category: "messaging", Brand: "maker", Ports: []artifact.PortRange{{Transport: "tcp", Low: 5223, High: 5223}}},
			{
				Tag: "maker-vpn", Category: "vpn-proxy", Brand: "maker", Signatures: []artifact.Signature{sign(artifact.CertSubject, "O=Maker VPN", true)},
				Ports: []artifact.PortRange{{Transport: "tcp", Low: 10443, High: 10443, NeedsBrand: true}},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSignature(t *testing.T) {
	c := makers(t)
	for _, tt := range []struct {
		where       dissect.Where
		value, want string
	}{
		{dissect.CertSubject, "O=Maker, Inc", "maker"},
		{dissect.CertSubject, "O=Maker", "maker"},
		{dissect.CertSubject, "O=Make", ""},
		{dissect.CertSubject, "O=Maker VPN 2", "maker-vpn"}, // the longest counts
		{dissect.CertIssuer, "O=Maker", ""},
		{dissect.HTTPAgent, "Maker/1", "maker"},
		{dissect.HTTPAgent, "mAKER/1", "maker"},
		{dissect.HTTPAgent, "Maker/10", ""},
		{dissect.HTTPAgent, "Maker/1" + strings.Repeat(" ", 400), ""},
		{dissect.CertSubject, "O=Maker" + strings.Repeat(" ", 400), "maker"},
		{dissect.STUNRealm, "turn.Maker.example", "maker"},
		{dissect.STUNRealm, "eu.aws.example", ""}, // who hosts
		{dissect.STUNRealm, "example", ""},
		{dissect.STUNSoftware, "maker.example", ""},
	} {
		value := []byte(tt.value)
		got := ""
		if n := testing.AllocsPerRun(10, func() { got, _ = c.Signature(tt.where, value) }); n > 0 {
			t.Errorf("%d %s: %v allocations", tt.where, tt.value, n)
		}
		if got != tt.want {
			t.Errorf("%d %s: got %q, want %q", tt.where, tt.value, got, tt.want)
		}
	}
	if _, err := New(&artifact.Catalogue{Applications: []artifact.Application{{Tag: "a", Signatures: []artifact.Signature{{Where: "header", Value: "x"}}}}}); err == nil {
		t.Error("a place that is none was taken")
	}
}

// TestSigned classifies flows in which a dissector found a product's signature.
func TestSigned(t *testing.T) {
	network, nobody := netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("192.0.2.7")
	for _, tt := range []struct {
		name     string
		flow     fact.Facts
		app, by  string
		category string
	}{
		{"certificate", fact.Facts{Application: "maker", By: fact.ByCert, DstIP: nobody, DstPort: 443}, "maker", fact.ByCert, "security"},
		{"certificate, and a name of nobody", fact.Facts{Application: "maker", By: fact.ByCert, Hostname: "fw.test", DstIP: nobody, DstPort: 443}, "maker", fact.ByCert, "security"},
		{"certificate, and a port of the brand's", fact.Facts{Application: "maker", By: fact.ByCert, DstIP: nobody, DstPort: 10443}, "maker-vpn", fact.ByCert, "vpn-proxy"},
		{"that port alone", fact.Facts{DstIP: nobody, DstPort: 10443}, "", "", "web"},
		{"that port in the brand's network", fact.Facts{DstIP: network, DstPort: 10443}, "maker-vpn", fact.ByNetwork, "vpn-proxy"},
		{"a port that names anywhere, in the brand's network", fact.Facts{DstIP: network, DstPort: 5223}, "maker-push", fact.ByNetwork, "messaging"},
		{"another port in the brand's network", fact.Facts{DstIP: network, DstPort: 443}, "maker", fact.ByNetwork, "security"},
		{"a name that somebody is known by", fact.Facts{Application: "maker", By: fact.ByHTTP, Hostname: "www.aws.example", DstIP: nobody, DstPort: 80}, "aws", fact.BySNI, "cloud"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := tt.flow
			f.IPProtocol, f.Protocol, f.SrcIP = ipTCP, "tls", netip.MustParseAddr("192.168.1.2")
			if f.Hostname == "www.aws.example" {
				f.By = fact.BySNI
			}
			c := makers(t)
			c.Classify(&f, true, nil, 0)
			c.Classify(&f, true, nil, 0) // once more, as when the flow shows more
			if f.Application != tt.app || f.By != tt.by || f.Category != tt.category {
				t.Errorf("got %q by %q in %q, want %q by %q in %q", f.Application, f.By, f.Category, tt.app, tt.by, tt.category)
			}
		})
	}
}

// TestPeerOfTURN: what a client sends to a peer by itself is what its TURN flow is.
func TestPeerOfTURN(t *testing.T) {
	c, names := callers(t), NewNames(64, 1)
	relay := flow(ipUDP, cloudAddr, 3478, "stun", "")
	relay.SrcPort, relay.Application, relay.By = 40000, "ring", fact.ByPayload
	c.LearnPeer(&relay, peer, names, 0)
	c.Classify(&relay, true, names, 0)
	direct := flow(ipUDP, peer, 52000, "", "")
	direct.SrcPort = 41000
	c.Classify(&direct, true, names, 1)
	if direct.Application != "ring" || direct.By != fact.ByCorrelation || direct.Guessed {
		t.Errorf("got %q by %q, guessed %v; want ring by correlation", direct.Application, direct.By, direct.Guessed)
	}
	late := flow(ipUDP, peer, 52000, "", "")
	c.Classify(&late, true, names, int64(2*socketLife))
	if late.Application != "" {
		t.Errorf("got %q after the hint's life, want none", late.Application)
	}
	other := flow(ipUDP, elsewhere, 52000, "", "")
	other.SrcPort = 41000
	c.Classify(&other, true, names, 1)
	if other.Application != "" {
		t.Errorf("got %q for an address that TURN did not tell of, want none", other.Application)
	}
}

// TestAnswersDNS: TLS and QUIC to a host that answers DNS and nothing else is DNS.
func TestAnswersDNS(t *testing.T) {
	c, err := New(&artifact.Catalogue{
		Protocols: []artifact.Protocol{{Tag: "doh", Category: "dns-over-https"}, {Tag: "dot", Category: "dns-over-https"}, {Tag: "tls", Category: "web"}},
		Applications: []artifact.Application{{
			Tag: "resolver", Category: "dns-over-https", Domains: []string{"resolver.example"},
			Signatures: []artifact.Signature{{Where: artifact.DNSName, Value: "dns.resolver.example"}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ protocol, host, want string }{
		{"tls", "dns.resolver.example", "doh"},
		{"quic", "eu.dns.resolver.example", "doh"},
		{"tls", "www.resolver.example", "tls"},
		{"tls", "dns.example", "tls"},
		{"tls", "", "tls"},
		{"dot", "dns.resolver.example", "dot"},
		{"http", "dns.resolver.example", "http"},
	} {
		f := &fact.Facts{IPProtocol: ipTCP, Protocol: tt.protocol, Hostname: tt.host, By: fact.BySNI}
		c.Classify(f, true, nil, 0)
		c.Classify(f, true, nil, 0)
		if f.Protocol != tt.want || f.By != "" && f.By != fact.BySNI && tt.protocol != "http" {
			t.Errorf("%s to %q: got %s by %s, want %s", tt.protocol, tt.host, f.Protocol, f.By, tt.want)
		}
	}
}
