package classify

import (
	"net/netip"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

var (
	client    = netip.MustParseAddr("192.168.1.20")
	zoomAddr  = netip.MustParseAddr("203.0.113.10")
	cloudAddr = netip.MustParseAddr("198.51.100.10")
	elsewhere = netip.MustParseAddr("192.0.2.10")
)

// small is a catalogue with one of each kind of evidence.
func small() *artifact.Catalogue {
	return &artifact.Catalogue{
		Categories: []artifact.Category{{Tag: "cloud"}, {Tag: "games"}, {Tag: "infrastructure"}, {Tag: "music"}, {Tag: "video"}, {Tag: "web"}},
		Protocols: []artifact.Protocol{
			{Tag: "dns", Category: "infrastructure", Ports: []artifact.PortRange{{Transport: "udp", Low: 53, High: 53}}},
			{Tag: "icmp", Category: "infrastructure", Ports: []artifact.PortRange{{Transport: "ip", Low: 1, High: 1}}},
			{Tag: "spotify", Category: "music", Application: "spotify", Ports: []artifact.PortRange{{Transport: "udp", Low: 57621, High: 57621}}},
			{Tag: "stun", Category: "video"},
			{Tag: "tls", Category: "web", Ports: []artifact.PortRange{{Transport: "tcp", Low: 443, High: 443}}},
			{Tag: "zoom-media", Category: "video", Application: "zoom"},
		},
		Applications: []artifact.Application{
			{Tag: "aws", Category: "cloud", Domains: []string{"amazonaws.com"}, Networks: prefixes("198.51.100.0/24")},
			{Tag: "duel", Category: "games", Ports: []artifact.PortRange{{Transport: "udp", Low: 7777, High: 7777}}},
			{Tag: "duel-two", Category: "games", Ports: []artifact.PortRange{{Transport: "udp", Low: 7778, High: 7778}}},
			{Tag: "rival", Category: "games", Ports: []artifact.PortRange{{Transport: "udp", Low: 7778, High: 7778}, {Transport: "udp", Low: 30000, High: 40000}}},
			{Tag: "spotify", Category: "music", Domains: []string{"spotify.com"}},
			{Tag: "zoom", Category: "video", Domains: []string{"zoom.us", "zoom.example"}, Networks: prefixes("203.0.113.0/24", "2001:db8:200::/40"), Ports: []artifact.PortRange{{Transport: "udp", Low: 8801, High: 8810, NeedsNetwork: true}}},
			{Tag: "zoom-blog", Category: "web", Brand: "zoom", Domains: []string{"blog.zoom.us"}, Networks: prefixes("203.0.113.128/25")},
		},
	}
}

func prefixes(list ...string) []netip.Prefix {
	var p []netip.Prefix
	for _, s := range list {
		p = append(p, netip.MustParsePrefix(s))
	}
	return p
}

func newSmall(t testing.TB) *Classifier {
	t.Helper()
	c, err := New(small())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// flow is a TCP or UDP flow from client.
func flow(ipProtocol int, server netip.Addr, port int, protocol, hostname string) fact.Facts {
	return fact.Facts{IPProtocol: ipProtocol, SrcIP: client, SrcPort: 50000, DstIP: server, DstPort: port, Protocol: protocol, Hostname: hostname}
}

func TestClassify(t *testing.T) {
	c := newSmall(t)
	type want struct {
		application, category, by, protocol string
		guessed                             bool
	}
	reversed := flow(ipUDP, client, 50000, "stun", "")
	reversed.SrcIP, reversed.SrcPort = zoomAddr, 3478
	caller := flow(ipTCP, client, 443, "tls", "")
	caller.SrcIP = zoomAddr
	mapped := flow(ipUDP, netip.AddrFrom16(zoomAddr.As16()), 3478, "stun", "")
	cert := flow(ipTCP, elsewhere, 443, "tls", "zoom.us")
	cert.By = fact.ByCert
	told := flow(ipUDP, zoomAddr, 3478, "stun", "")
	told.Application, told.By = "spotify", fact.ByPayload
	unknown := told
	unknown.Application = "nobody"
	tests := []struct {
		name  string
		in    fact.Facts
		final bool
		want  want
	}{
		{"payload", flow(ipUDP, elsewhere, 9, "zoom-media", ""), false, want{"zoom", "video", "payload", "zoom-media", false}},
		{"payload before name", flow(ipUDP, elsewhere, 9, "zoom-media", "spotify.com"), false, want{"zoom", "video", "payload", "zoom-media", false}},
		{"a product's own messages in its dissector's word", told, false, want{"spotify", "music", "payload", "stun", false}},
		{"an application that the catalogue lacks", unknown, false, want{"zoom", "video", "network", "stun", true}},
		{"suffix", flow(ipTCP, elsewhere, 443, "tls", "us05web.zoom.us"), false, want{"zoom", "video", "sni", "tls", false}},
		{"suffix itself", flow(ipTCP, elsewhere, 443, "tls", "zoom.us"), false, want{"zoom", "video", "sni", "tls", false}},
		{"longest suffix", flow(ipTCP, elsewhere, 443, "tls", "x.blog.zoom.us"), false, want{"zoom-blog", "web", "sni", "tls", false}},
		{"case and trailing dot", flow(ipTCP, elsewhere, 443, "tls", "Us05Web.ZOOM.us."), false, want{"zoom", "video", "sni", "tls", false}},
		{"no suffix at a label's middle", flow(ipTCP, elsewhere, 443, "tls", "notzoom.us"), false, want{"", "web", "", "tls", false}},
		{"certificate name", cert, false, want{"zoom", "video", "cert", "tls", false}},
		{"HTTP host", flow(ipTCP, elsewhere, 80, "http", "zoom.us"), false, want{"zoom", "video", "http", "http", false}},
		{"name before network", flow(ipTCP, zoomAddr, 443, "tls", "open.spotify.com"), false, want{"spotify", "music", "sni", "tls", false}},
		{"unknown name in a product's network", flow(ipTCP, zoomAddr, 443, "tls", "example.org"), true, want{"", "web", "", "tls", false}},
		{"unknown name in a cloud", flow(ipTCP, cloudAddr, 443, "tls", "example.org"), true, want{"", "web", "", "tls", false}},
		{"address literal is no name", flow(ipTCP, zoomAddr, 80, "http", "203.0.113.10"), true, want{"zoom", "video", "network", "http", true}},
		{"single label is no name", flow(ipTCP, zoomAddr, 80, "http", "localhost"), true, want{"zoom", "video", "network", "http", true}},
		{"STUN to the product's network", flow(ipUDP, zoomAddr, 3478, "stun", ""), false, want{"zoom", "video", "network", "stun", true}},
		{"IPv4 mapped into IPv6", mapped, false, want{"zoom", "video", "network", "stun", true}},
		{"longest prefix", flow(ipUDP, netip.MustParseAddr("203.0.113.200"), 3478, "stun", ""), false, want{"zoom-blog", "web", "network", "stun", true}},
		{"seen from its middle", reversed, false, want{"zoom", "video", "network", "stun", true}},
		{"called from a product's network", caller, true, want{"", "web", "", "tls", false}},
		{"TLS may still show a name", flow(ipTCP, zoomAddr, 443, "tls", ""), false, want{"", "web", "", "tls", false}},
		{"TLS without a name", flow(ipTCP, zoomAddr, 443, "tls", ""), true, want{"zoom", "video", "network", "tls", true}},
		{"nothing known yet", flow(ipTCP, zoomAddr, 443, "", ""), false, want{"", "", "", "", false}},
		{"STUN to a cloud", flow(ipUDP, cloudAddr, 3478, "stun", ""), false, want{"", "video", "", "stun", false}},
		{"cloud at the end", flow(ipUDP, cloudAddr, 3478, "stun", ""), true, want{"aws", "video", "network", "stun", true}},
		{"TLS in a cloud at the end", flow(ipTCP, cloudAddr, 443, "tls", ""), true, want{"aws", "cloud", "network", "tls", true}},
		{"nothing in a cloud but its port", flow(ipTCP, cloudAddr, 22, "", ""), true, want{"aws", "cloud", "network", "", true}},
		{"port at the end", flow(ipUDP, elsewhere, 7777, "", ""), true, want{"duel", "games", "port", "", true}},
		{"port not before", flow(ipUDP, elsewhere, 7777, "", ""), false, want{"", "", "", "", false}},
		{"port of two applications", flow(ipUDP, elsewhere, 7778, "", ""), true, want{"", "", "", "", false}},
		{"port of a wide range", flow(ipUDP, elsewhere, 35000, "", ""), true, want{"", "", "", "", false}},
		{"port outside its network", flow(ipUDP, elsewhere, 8801, "", ""), true, want{"", "", "", "", false}},
		{"port of a known protocol", flow(ipUDP, elsewhere, 7777, "stun", ""), true, want{"", "video", "", "stun", false}},
		{"well-known port", flow(ipTCP, elsewhere, 443, "", ""), true, want{"", "web", "", "tls", true}},
		{"port of a product's protocol is no proof", flow(ipUDP, elsewhere, 57621, "", ""), true, want{"", "music", "", "spotify", true}},
		{"DNS is not what it asks for", flow(ipUDP, zoomAddr, 53, "dns", ""), true, want{"", "infrastructure", "", "dns", false}},
		{"ICMP by its number", flow(1, zoomAddr, 0, "", ""), false, want{"", "infrastructure", "", "icmp", false}},
		{"unknown IP protocol", flow(200, zoomAddr, 0, "", ""), true, want{"", "", "", "", false}},
		{"no address at all", fact.Facts{IPProtocol: ipTCP}, true, want{"", "", "", "", false}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := tt.in
			c.Classify(&f, tt.final, nil, 0)
			if got := (want{f.Application, f.Category, f.By, f.Protocol, f.Guessed}); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			first := f
			c.Classify(&f, tt.final, nil, 0)
			if f != first {
				t.Errorf("a second call changed %+v to %+v", first, f)
			}
		})
	}
}

func TestBrand(t *testing.T) {
	c := newSmall(t)
	for host, want := range map[string]string{"blog.zoom.us": "zoom", "www.zoom.us": "zoom", "spotify.com": "spotify", "www.example.org": ""} {
		f := &fact.Facts{IPProtocol: ipTCP, Protocol: "tls", Hostname: host}
		c.Classify(f, true, nil, 0)
		if f.Brand != want {
			t.Errorf("%s: brand %q of application %q, want %q", host, f.Brand, f.Application, want)
		}
	}
}

func TestClassifyAgainWithMore(t *testing.T) {
	c := newSmall(t)
	f := flow(ipTCP, zoomAddr, 443, "", "")
	c.Classify(&f, true, nil, 0)
	if f.Application != "zoom" || f.Protocol != "tls" || !f.Guessed {
		t.Fatalf("guess: got %+v", f)
	}
	f.Hostname, f.By = "open.spotify.com", fact.BySNI
	c.Classify(&f, false, nil, 0)
	if f.Application != "spotify" || f.By != fact.BySNI || f.Guessed || f.Category != "music" {
		t.Errorf("after the name: got %+v", f)
	}
	f.Hostname = "example.org"
	c.Classify(&f, false, nil, 0)
	if f.Application != "" || f.ApplicationCategory != "" || f.By != "" || f.Category != "web" {
		t.Errorf("after another name: got %+v", f)
	}
}

func TestClassifyByDNS(t *testing.T) {
	c := newSmall(t)
	names := NewNames(8, 1)
	names.Learn(client, dissect.NameBinding{Name: "media.zoom.us", Addr: elsewhere, TTL: 60}, 0)
	tests := []struct {
		name     string
		in       fact.Facts
		now      time.Duration
		app, dns string
	}{
		{"the client's own answer", flow(ipUDP, elsewhere, 9000, "", ""), 0, "zoom", "media.zoom.us"},
		{"shown names come first", flow(ipTCP, elsewhere, 443, "tls", "spotify.com"), 0, "spotify", "media.zoom.us"},
		{"an unknown shown name too", flow(ipTCP, elsewhere, 443, "tls", "example.org"), 0, "", "media.zoom.us"},
		{"short TTL lives on", flow(ipUDP, elsewhere, 9000, "", ""), 29 * time.Minute, "zoom", "media.zoom.us"},
		{"but not for ever", flow(ipUDP, elsewhere, 9000, "", ""), 31 * time.Minute, "", ""},
		{"another server", flow(ipUDP, cloudAddr, 9000, "", ""), 0, "", ""},
		{"the resolver itself", flow(ipUDP, elsewhere, 53, "dns", ""), 0, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := tt.in
			c.Classify(&f, false, names, int64(tt.now))
			if f.Application != tt.app || f.DNSHostname != tt.dns {
				t.Errorf("got %q by %q with DNS name %q, want %q with %q", f.Application, f.By, f.DNSHostname, tt.app, tt.dns)
			}
		})
	}
	other := flow(ipUDP, elsewhere, 9000, "", "")
	other.SrcIP = netip.MustParseAddr("192.168.1.99")
	if c.Classify(&other, false, names, 0); other.Application != "" {
		t.Errorf("another client's answer named the flow %q", other.Application)
	}
}

func TestNewMistakes(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*artifact.Catalogue)
		want  string
	}{
		{"suffix of two", func(c *artifact.Catalogue) { c.Applications[4].Domains = []string{"zoom.us"} }, `compile catalogue: add domain "zoom.us": belongs to two applications`},
		{"suffix of one label", func(c *artifact.Catalogue) { c.Applications[4].Domains = []string{"us"} }, `compile catalogue: add domain "us": not a host name suffix`},
		{"prefix of two", func(c *artifact.Catalogue) { c.Applications[4].Networks = prefixes("203.0.113.0/24") }, "compile catalogue: add network 203.0.113.0/24: belongs to spotify and zoom"},
		{"transport", func(c *artifact.Catalogue) { c.Protocols[0].Ports[0].Transport = "ipx" }, "compile catalogue: add ports ipx/53: unknown transport"},
		{"range backwards", func(c *artifact.Catalogue) { c.Protocols[0].Ports[0].Low = 54 }, "compile catalogue: add ports udp/54-53: high end below low end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cat := small()
			tt.spoil(cat)
			if _, err := New(cat); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestClassifyDoesNotAllocate(t *testing.T) {
	c := newSmall(t)
	names := NewNames(8, 1)
	names.Learn(client, dissect.NameBinding{Name: "media.zoom.us", Addr: elsewhere, TTL: 60}, 0)
	for _, in := range []fact.Facts{
		flow(ipTCP, elsewhere, 443, "tls", "a.b.c.d.e.f.us05web.Zoom.us"),
		flow(ipUDP, elsewhere, 9000, "", ""),
		flow(ipUDP, netip.AddrFrom16(zoomAddr.As16()), 3478, "stun", ""),
		flow(ipTCP, elsewhere, 443, "", "203.0.113.10"),
		flow(1, zoomAddr, 0, "", ""),
	} {
		if n := testing.AllocsPerRun(100, func() {
			f := in
			c.Classify(&f, true, names, 0)
		}); n != 0 {
			t.Errorf("%s %s: %v allocations, want 0", in.Protocol, in.Hostname, n)
		}
	}
}

func BenchmarkClassify(b *testing.B) {
	c := newSmall(b)
	in := flow(ipTCP, zoomAddr, 443, "tls", "us05web.zoom.us")
	b.ReportAllocs()
	for b.Loop() {
		f := in
		c.Classify(&f, false, nil, 0)
	}
}
