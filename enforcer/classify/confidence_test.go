package classify

import (
	"net/netip"
	"testing"

	"github.com/netpol/netpol/lang/fact"
)

func TestProtocolOffItsPorts(t *testing.T) {
	for _, tt := range []struct {
		name  string
		in    fact.Facts
		final bool
		risky bool
	}{
		{"its port", fact.Facts{Protocol: "dns", IPProtocol: 17, DstPort: 53}, false, false},
		{"its port, turned around", fact.Facts{Protocol: "dns", IPProtocol: 17, SrcPort: 53, DstPort: 40000}, false, false},
		{"another port", fact.Facts{Protocol: "dns", IPProtocol: 17, DstPort: 5300}, false, true},
		{"another transport", fact.Facts{Protocol: "dns", IPProtocol: 6, DstPort: 53}, false, true},
		{"another protocol's port", fact.Facts{Protocol: "dns", IPProtocol: 17, DstPort: 57621}, false, true},
		{"at home anywhere", fact.Facts{Protocol: "tls", IPProtocol: 6, DstPort: 8443}, false, false},
		{"no ports known", fact.Facts{Protocol: "zoom-media", IPProtocol: 17, DstPort: 8801}, false, false},
		{"no ports at all", fact.Facts{Protocol: "icmp", IPProtocol: 1}, false, false},
		{"guessed from its port", fact.Facts{IPProtocol: 17, DstPort: 53}, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := tt.in
			c := newSmall(t)
			for range 2 { // the flow is classified again when it shows more
				c.Classify(&f, tt.final, nil, 0)
				if got := fact.HasRisk(f.Risks, fact.RiskNonstandardPort); got != tt.risky {
					t.Errorf("got %v, want %v; risks %q", got, tt.risky, f.Risks)
				}
			}
		})
	}
}

func TestConfidenceAndOwners(t *testing.T) {
	for _, tt := range []struct {
		name       string
		in         fact.Facts
		final      bool
		confidence int
		domain     string
		network    string
	}{
		{"payload", fact.Facts{Protocol: "spotify", IPProtocol: 17, DstIP: elsewhere}, false, 100, "", ""},
		{"server name, in a cloud", fact.Facts{Protocol: "tls", IPProtocol: 6, Hostname: "x.zoom.us", By: fact.BySNI, DstIP: cloudAddr}, false, 95, "video", "cloud"},
		{"certificate", fact.Facts{Protocol: "tls", IPProtocol: 6, Hostname: "x.zoom.us", By: fact.ByCert, DstIP: elsewhere}, false, 90, "video", ""},
		{"DNS name", fact.Facts{Protocol: "tls", IPProtocol: 6, DNSHostname: "spotify.com", DstIP: elsewhere}, false, 80, "music", ""},
		{"network", fact.Facts{Protocol: "stun", IPProtocol: 17, DstIP: zoomAddr}, false, 50, "", "video"},
		{"application by port", fact.Facts{IPProtocol: 17, DstPort: 7777, DstIP: elsewhere}, true, 20, "", ""},
		{"protocol by port", fact.Facts{IPProtocol: 17, DstPort: 53, DstIP: elsewhere}, true, 20, "", ""},
		{"protocol by its bytes, name of nobody", fact.Facts{Protocol: "tls", IPProtocol: 6, Hostname: "nobody.example", By: fact.BySNI, DstIP: cloudAddr}, true, 100, "", "cloud"},
		{"look-up of a name", fact.Facts{Protocol: "dns", IPProtocol: 17, DNSHostname: "blog.zoom.us", DstIP: elsewhere}, true, 100, "web", ""},
		{"nothing", fact.Facts{IPProtocol: 6, DstIP: elsewhere}, true, 0, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := tt.in
			f.SrcIP = netip.MustParseAddr("192.168.1.20")
			newSmall(t).Classify(&f, tt.final, nil, 0)
			if f.Confidence != tt.confidence || f.DomainCategory != tt.domain || f.NetworkCategory != tt.network {
				t.Errorf("got confidence %d, domain %q, network %q, want %d, %q, %q; by %q", f.Confidence, f.DomainCategory, f.NetworkCategory, tt.confidence, tt.domain, tt.network, f.By)
			}
		})
	}
}
