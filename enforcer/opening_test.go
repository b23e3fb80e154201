package enforcer

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/lang/fact"
)

// slow is a protocol over UDP that is known by its first datagram, and may show a host's
// name in any: "HOST <name>".
type slow struct{}

func (slow) Spec() dissect.Spec { return dissect.Spec{Name: "tls", UDP: true} }

func (slow) Dissect(w *dissect.Window, f *fact.Facts) dissect.Result {
	f.Protocol = "tls"
	newest, _ := w.Newest()
	if name, ok := strings.CutPrefix(string(newest.Payload), "HOST "); ok {
		f.Hostname = name
	}
	return dissect.Partial
}

// player is an engine whose packets come one at a time.
type player struct {
	*worker
	tb testing.TB
	s  *script
}

func newPlayer(tb testing.TB, b *artifact.Bundle, d ...dissect.Dissector) *player {
	tb.Helper()
	s := newScript()
	e, err := New(Config{Source: s, Dissectors: d, Bundle: b})
	if err != nil {
		tb.Fatal(err)
	}
	return &player{worker: newWorker(e, 0), tb: tb, s: s}
}

// play takes the script's packets in and gives the last one's flow.
func (p *player) play() *flow.Record {
	p.tb.Helper()
	for p.s.Next(p.raw) == nil {
		p.packet()
	}
	if p.recalled != nil {
		p.tb.Error("facts are at hand between two packets")
	}
	return p.table.At(p.at)
}

// knows is what the engine knows of a flow between two packets.
func (p *player) knows(r *flow.Record) (f fact.Facts) {
	p.load(r, &f)
	return f
}

// TestWhatChangesIsDecidedOn: a flow in inspection is decided anew as soon as a
// dissector tells more of it or its ends are known better, and what it has shown stays
// known until then.
func TestWhatChangesIsDecidedOn(t *testing.T) {
	host := policyOf{name: "host", all: []artifact.Test{textTest("hostname", "a.example")}}
	mac := policyOf{name: "mac", all: []artifact.Test{textTest("protocol", "tls"), textTest("dst_mac", "02:00:00:00:00:02")}}
	nat := policyOf{name: "nat", all: []artifact.Test{textTest("protocol", "tls"), {Op: artifact.TestFlag, Attribute: "ip_nat"}}}
	p := newPlayer(t, bundle(t, host, mac, nat), slow{})
	c := connect("192.168.1.2:40000", "198.51.100.1:9999")
	check := func(when string, labels byte, want fact.Facts) *flow.Record {
		t.Helper()
		r := p.play()
		got := p.knows(r)
		if got.Protocol != want.Protocol || got.Hostname != want.Hostname || got.DNSHostname != want.DNSHostname {
			t.Errorf("%s: got %s, %q and %q, want %s, %q and %q", when, got.Protocol, got.Hostname, got.DNSHostname, want.Protocol, want.Hostname, want.DNSHostname)
		}
		if l := p.traitsOf(r).labels[0]; l != labels || r.Has(flow.Done) {
			t.Errorf("%s: labels %03b, want %03b; done %v", when, l, labels, r.Has(flow.Done))
		}
		return r
	}
	p.s.udp(c, client, "more")
	check("first datagram", 0b000, fact.Facts{Protocol: "tls"})
	c.macs[server] = [6]byte{2, 0, 0, 0, 0, 2}
	p.s.udp(c, server, "more")
	r := check("the server's hardware address", 0b010, fact.Facts{Protocol: "tls"})
	r.Set(flow.Translated)
	p.s.udp(c, client, "more")
	check("addresses are translated", 0b110, fact.Facts{Protocol: "tls"})
	p.names.Learn(c.client.Addr(), dissect.NameBinding{Name: "b.example", Addr: c.server.Addr(), TTL: 60}, p.clock.now)
	p.s.udp(c, client, "more")
	check("nothing has changed, so nothing is decided", 0b110, fact.Facts{Protocol: "tls"})
	p.s.udp(c, client, "HOST a.example")
	check("a host's name", 0b111, fact.Facts{Protocol: "tls", Hostname: "a.example", DNSHostname: "b.example"})
	if p.stats.Completed != 0 {
		t.Error("the flow was completed")
	}
}

// TestContradictionStaysKnown: a segment that contradicts an earlier one is remembered,
// although it brings nothing that is inspected.
func TestContradictionStaysKnown(t *testing.T) {
	p := newPlayer(t, bundle(t, zoomPolicy()), dissectors()...)
	c := connect("192.168.1.2:40000", "198.51.100.1:443")
	p.s.handshake(c).tcp(c, client, "A", 0, "HELLO ")
	if r := p.play(); p.knows(r).Evasive {
		t.Error("evasive before anything was contradicted")
	}
	p.s.tcp(c, client, "A", 0, "HALLO ")
	if r := p.play(); !p.knows(r).Evasive {
		t.Error("forgotten until the next packet")
	}
	p.s.tcp(c, client, "A", 6, "us04.zoom.us\n")
	if r := p.play(); !p.knows(r).Evasive || !r.Has(flow.Done) {
		t.Errorf("evasive %v, done %v", p.knows(r).Evasive, r.Has(flow.Done))
	}
}

// TestNothingIsLeft: once flows are over, whatever became of them, the store of facts and
// the openings are empty, and buffers are back.
func TestNothingIsLeft(t *testing.T) {
	p := newPlayer(t, bundle(t, zoomPolicy()), append(dissectors(), slow{})...)
	for n := range uint16(50) {
		c := &conn{client: netip.AddrPortFrom(netip.MustParseAddr("192.168.1.2"), 1000+n), server: netip.MustParseAddrPort("198.51.100.1:443"), seq: [2]uint32{1000, 5000}}
		switch n % 5 {
		case 0:
			p.s.call(c, someHosts[n%3]+".zoom.us")
		case 1:
			p.s.handshake(c).tcp(c, client, "A", 0, "HELLO ").tcp(c, client, "A", 0, "HALLO").tcp(c, client, "A", 20, "beyond a gap")
		case 2:
			p.s.udp(c, client, "HOST "+someHosts[n%5]).udp(c, server, "HOST other.example")
		case 3:
			p.s.udp(c, client, "BOOM")
		case 4:
			p.s.udp(c, client, "more").udp(c, server, "more")
		}
	}
	p.play()
	if p.openings.Used() == 0 || p.store.used() < 5 || p.buffers.Out() == 0 {
		t.Fatalf("%d openings, %d sets of facts and %d bytes are in use; the test is to be of some", p.openings.Used(), p.store.used(), p.buffers.Out())
	}
	p.finish()
	if p.openings.Used() != 0 || p.store.used() != 0 || p.buffers.Out() != 0 {
		t.Errorf("%d openings, %d sets of facts and %d bytes are left", p.openings.Used(), p.store.used(), p.buffers.Out())
	}
}
