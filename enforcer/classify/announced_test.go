package classify

import (
	"net/netip"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/dissect/announce"
	"github.com/netpol/netpol/lang/fact"
)

func announcedFlow(port uint16, host, peer string) announce.Flow {
	a := announce.Flow{Protocol: "ftp-data", At: netip.AddrPortFrom(netip.MustParseAddr(host), port)}
	if peer != "" {
		a.Peer = netip.MustParseAddr(peer)
	}
	return a
}

func tcpFlow(src string, srcPort int, dst string, dstPort int) *fact.Facts {
	return &fact.Facts{IPProtocol: ipTCP, SrcIP: netip.MustParseAddr(src), SrcPort: srcPort, DstIP: netip.MustParseAddr(dst), DstPort: dstPort}
}

func TestAnnounced(t *testing.T) {
	const now = int64(time.Hour)
	n := NewNames(0, 1)
	n.Announce(announcedFlow(50000, "192.0.2.1", "192.0.2.2"), now)
	n.Announce(announcedFlow(50001, "192.0.2.1", ""), now)
	udp := tcpFlow("192.0.2.2", 40000, "192.0.2.1", 50000)
	udp.IPProtocol = ipUDP
	for _, tt := range []struct {
		name string
		f    *fact.Facts
		at   int64
		want bool
	}{
		{"to the endpoint", tcpFlow("192.0.2.2", 40000, "192.0.2.1", 50000), now, true},
		{"from the endpoint", tcpFlow("192.0.2.1", 50000, "192.0.2.2", 20), now, true},
		{"by another peer", tcpFlow("192.0.2.3", 40000, "192.0.2.1", 50000), now, false},
		{"by anybody, where that was said", tcpFlow("192.0.2.3", 40000, "192.0.2.1", 50001), now, true},
		{"another port", tcpFlow("192.0.2.2", 40000, "192.0.2.1", 50002), now, false},
		{"another transport", udp, now, false},
		{"just in time", tcpFlow("192.0.2.2", 40000, "192.0.2.1", 50000), now + int64(announcedLife) - 1, true},
		{"too late", tcpFlow("192.0.2.2", 40000, "192.0.2.1", 50000), now + int64(announcedLife), false},
	} {
		if got, ok := n.Announced(tt.f, tt.at); ok != tt.want || ok && got != "ftp-data" {
			t.Errorf("%s: got %q, %v", tt.name, got, ok)
		}
	}
	f := tcpFlow("192.0.2.2", 40000, "192.0.2.1", 50000)
	if allocs := testing.AllocsPerRun(20, func() { n.Announced(f, now) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// TestAnnouncedKeepsOthers: an address that announces without end loses its own.
func TestAnnouncedKeepsOthers(t *testing.T) {
	n := NewNames(0, 1)
	n.Announce(announcedFlow(50000, "192.0.2.7", ""), 1)
	for port := range uint16(5000) {
		n.Announce(announcedFlow(10000+port, "192.0.2.1", ""), 1)
	}
	held := 0
	for port := range 5000 {
		if _, ok := n.Announced(tcpFlow("192.0.2.9", 40000, "192.0.2.1", 10000+port), 2); ok {
			held++
		}
	}
	if _, ok := n.Announced(tcpFlow("192.0.2.9", 40000, "192.0.2.7", 50000), 2); !ok || held != announcedEach {
		t.Errorf("another's announcement held: %v; %d of the greedy one's, want %d", ok, held, announcedEach)
	}
}

// TestAnnouncedProtocol: what was announced is no guess, and no proof.
func TestAnnouncedProtocol(t *testing.T) {
	c := newSmall(t)
	f := tcpFlow("192.0.2.2", 40000, "192.0.2.1", 50000)
	f.Protocol, f.By = "ftp-data", fact.ByCorrelation
	for range 2 { // decided anew after a reload
		c.Classify(f, true, nil, 0)
		if f.Protocol != "ftp-data" || f.By != fact.ByCorrelation || f.Confidence != 60 || f.Guessed || f.Risks != "" {
			t.Errorf("got %s by %q, confidence %d, guessed %v, risks %q", f.Protocol, f.By, f.Confidence, f.Guessed, f.Risks)
		}
	}
}
