package classify

import (
	"net/netip"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

var (
	metaRelay = netip.MustParseAddr("203.0.113.10")
	chatHost  = netip.MustParseAddr("203.0.113.200") // in the messenger's part of its owner's network
	peer      = netip.MustParseAddr("192.0.2.77")
)

// callers is a catalogue of two messengers in one company's network.
func callers(t testing.TB) *Classifier {
	t.Helper()
	c, err := New(&artifact.Catalogue{
		Protocols: []artifact.Protocol{
			{Tag: "dns", Category: "infrastructure", Ports: []artifact.PortRange{{Transport: "udp", Low: 5353, High: 5353}}},
			{Tag: "ring-media", Category: "voip-conferencing", Application: "ring"},
			{Tag: "stun", Category: "voip-conferencing", Ports: []artifact.PortRange{{Transport: "udp", Low: 3478, High: 3478}}},
			{Tag: "tls", Category: "web"},
		},
		Applications: []artifact.Application{
			{Tag: "aws", Category: "cloud", Domains: []string{"aws.example"}, Networks: prefixes("198.51.100.0/24")},
			{Tag: "company", Category: "social-media", Domains: []string{"company.example"}, Networks: prefixes("203.0.113.0/24")},
			{Tag: "messenger", Category: "messaging", Domains: []string{"messenger.example"}, Networks: prefixes("203.0.113.192/26")},
			{Tag: "photos", Category: "social-media", Domains: []string{"photos.example"}},
			{Tag: "ring", Category: "voip-conferencing", Domains: []string{"ring.example"}},
			{Tag: "shop", Category: "shopping", Domains: []string{"shop.example"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCalls classifies flows one after another, as a capture would bring them,
// and looks at the last.
func TestCalls(t *testing.T) {
	type step struct {
		after time.Duration
		flow  fact.Facts
	}
	from := func(f fact.Facts, port int) fact.Facts { f.SrcPort = port; return f }
	chat := func(name string) fact.Facts { return flow(ipTCP, metaRelay, 443, "tls", name) }
	stun := func(server netip.Addr) fact.Facts { return from(flow(ipUDP, server, 3478, "stun", ""), 40000) }
	direct := func(server netip.Addr) fact.Facts { f := stun(server); f.DstPort = 52000; return f }
	incoming := fact.Facts{IPProtocol: ipUDP, SrcIP: peer, SrcPort: 32000, DstIP: client, DstPort: 40000, Protocol: "stun"}
	tests := []struct {
		name       string
		steps      []step
		want, by   string
		guessed    bool
		confidence int
	}{
		{"no hint", []step{{0, stun(metaRelay)}}, "company", fact.ByNetwork, true, 50},
		{"signalled in the same network", []step{{0, chat("a.messenger.example")}, {time.Hour, stun(metaRelay)}}, "messenger", fact.ByCorrelation, false, 60},
		{"signalled too long ago", []step{{0, chat("a.messenger.example")}, {3 * time.Hour, stun(metaRelay)}}, "company", fact.ByNetwork, true, 50},
		{"signalled from an address of its own", []step{{0, flow(ipTCP, chatHost, 5222, "xmpp", "")}, {time.Second, stun(metaRelay)}}, "messenger", fact.ByCorrelation, true, 50},
		{"signalled elsewhere, by an application of that network", []step{{0, flow(ipTCP, elsewhere, 443, "tls", "a.messenger.example")}, {time.Hour, stun(metaRelay)}}, "messenger", fact.ByCorrelation, false, 60},
		{"signalled elsewhere, by another application", []step{{0, flow(ipTCP, elsewhere, 443, "tls", "photos.example")}, {time.Hour, stun(metaRelay)}}, "company", fact.ByNetwork, true, 50},
		{"two messengers, one just now", []step{{0, chat("photos.example")}, {time.Hour, chat("messenger.example")}, {10 * time.Second, stun(metaRelay)}}, "messenger", fact.ByCorrelation, false, 60},
		{"two messengers, both long ago", []step{{0, chat("photos.example")}, {time.Minute, chat("messenger.example")}, {time.Hour, stun(metaRelay)}}, "company", fact.ByNetwork, true, 50},
		{"a name outweighs an address", []step{{0, chat("photos.example")}, {0, flow(ipTCP, chatHost, 5222, "xmpp", "")}, {time.Hour, stun(metaRelay)}}, "photos", fact.ByCorrelation, false, 60},
		{"the company's own name tells nothing", []step{{0, chat("www.company.example")}, {0, stun(metaRelay)}}, "company", fact.ByNetwork, true, 50},
		{"a shop makes no calls", []step{{0, chat("shop.example")}, {0, stun(metaRelay)}}, "company", fact.ByNetwork, true, 50},
		{"another client", []step{{0, chat("messenger.example")}, {0, func() fact.Facts { f := stun(metaRelay); f.SrcIP = netip.MustParseAddr("192.168.1.21"); return f }()}}, "company", fact.ByNetwork, true, 50},
		{"peer behind the socket of the call", []step{{0, chat("messenger.example")}, {0, stun(metaRelay)}, {2 * time.Minute, stun(peer)}}, "messenger", fact.ByCorrelation, false, 60},
		{"peer that calls in", []step{{0, chat("messenger.example")}, {0, stun(metaRelay)}, {2 * time.Minute, incoming}}, "messenger", fact.ByCorrelation, false, 60},
		{"peer behind a socket that the bytes named", []step{{0, from(flow(ipUDP, elsewhere, 9000, "ring-media", ""), 40000)}, {time.Minute, from(flow(ipUDP, peer, 9001, "", ""), 40000)}}, "ring", fact.ByCorrelation, false, 60},
		{"peer behind another socket, in the call", []step{{0, chat("messenger.example")}, {0, stun(metaRelay)}, {5 * time.Second, from(direct(peer), 40001)}}, "messenger", fact.ByCorrelation, false, 60},
		{"peer behind another socket, later", []step{{0, chat("messenger.example")}, {0, stun(metaRelay)}, {5 * time.Minute, from(direct(peer), 40001)}}, "", "", false, 100},
		{"a public STUN server, in the call", []step{{0, chat("messenger.example")}, {0, stun(metaRelay)}, {5 * time.Second, from(stun(peer), 40001)}}, "", "", false, 100},
		{"another protocol behind another socket", []step{{0, chat("messenger.example")}, {0, stun(metaRelay)}, {0, from(flow(ipUDP, peer, 9000, "", ""), 40001)}}, "", "", false, 0},
		{"relay in a cloud, same socket", []step{{0, chat("messenger.example")}, {0, stun(metaRelay)}, {0, stun(cloudAddr)}}, "messenger", fact.ByCorrelation, false, 60},
		{"a service's port is nobody's own", []step{{0, from(flow(ipUDP, elsewhere, 9000, "ring-media", ""), 5353)}, {0, from(flow(ipUDP, peer, 9000, "", ""), 5353)}}, "", "", true, 20},
		{"a name of its own", []step{{0, chat("messenger.example")}, {0, stun(metaRelay)}, {0, func() fact.Facts { f := stun(peer); f.DNSHostname = "turn.ring.example"; return f }()}}, "ring", fact.ByDNS, false, 80},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, names, now := callers(t), NewNames(64, 1), int64(0)
			var f fact.Facts
			for _, s := range tt.steps {
				now += int64(s.after)
				f = s.flow
				c.Classify(&f, true, names, now)
			}
			c.Classify(&f, true, names, now) // once more, as when the flow shows more
			if f.Application != tt.want || f.By != tt.by || f.Guessed != tt.guessed || f.Confidence != tt.confidence {
				t.Errorf("got %q by %q, guessed %v, confidence %d; want %q by %q, %v, %d", f.Application, f.By, f.Guessed, f.Confidence, tt.want, tt.by, tt.guessed, tt.confidence)
			}
		})
	}
}

func TestCallsAreBounded(t *testing.T) {
	c, names := callers(t), NewNames(64, 1)
	for i := range 5000 {
		f := flow(ipUDP, elsewhere, 9000, "ring-media", "")
		f.SrcPort = 10000 + i
		c.Classify(&f, true, names, 0)
	}
	if got := len(names.stripes[0].calls.index); got != 16 {
		t.Errorf("%d hints held, want 16", got)
	}
}

func TestCorrelationDoesNotAllocate(t *testing.T) {
	c, names := callers(t), NewNames(64, 1)
	f := flow(ipUDP, elsewhere, 9000, "ring-media", "")
	c.Classify(&f, true, names, 0)
	next := flow(ipUDP, peer, 9001, "stun", "")
	if got := testing.AllocsPerRun(100, func() {
		c.Classify(&f, true, names, 0)
		c.Classify(&next, true, names, 0)
	}); got != 0 || next.Application != "ring" {
		t.Errorf("%v allocations for %q, want none for ring", got, next.Application)
	}
}

func TestAsked(t *testing.T) {
	c := newSmall(t)
	for _, tt := range []struct {
		name string
		in   fact.Facts
		want string
	}{
		{"look-up", fact.Facts{Protocol: "dns", DNSHostname: "x.zoom.us"}, "zoom"},
		{"look-up of nobody", fact.Facts{Protocol: "dns", DNSHostname: "nobody.example"}, ""},
		{"not a look-up", fact.Facts{Protocol: "tls", DNSHostname: "x.zoom.us"}, ""},
		{"no name", fact.Facts{Protocol: "mdns"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := c.Asked(&tt.in); got != tt.want || ok != (tt.want != "") {
				t.Errorf("got %q, %v, want %q", got, ok, tt.want)
			}
		})
	}
}
