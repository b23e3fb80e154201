package enforcer

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/lang/fact"
)

// known plays a script and gives what "why" knows of its last flow, by
// attribute.
func known(t *testing.T, s *script, b *artifact.Bundle, set func(*Config)) map[string]string {
	t.Helper()
	out := map[string]string{}
	play(t, s, b, func(c *Config) {
		c.Explain = func(w telemetry.Why) {
			for _, e := range w.Evidence {
				out[e.Attribute] = e.Value
			}
		}
		if set != nil {
			set(c)
		}
	})
	return out
}

func pick(from map[string]string, names ...string) map[string]string {
	out := map[string]string{}
	for _, n := range names {
		if v, ok := from[n]; ok {
			out[n] = v
		}
	}
	return out
}

// TestHeaderFacts has the client's and the server's side of a flow told apart.
func TestHeaderFacts(t *testing.T) {
	const lan, wan = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
	macs := [2][6]byte{{2, 0, 0, 0, 0, 0x0a}, {2, 0, 0, 0, 0, 0x0b}}
	names := []string{"src_mac", "dst_mac", "local_mac", "other_mac", "ip_dscp", "other_type", "origin", "detection_packets", "confidence"}
	for _, tt := range []struct {
		name           string
		client, server string
		want           map[string]string
	}{
		{"outward", "192.168.1.2:40000", "198.51.100.1:443", map[string]string{
			"src_mac": lan, "dst_mac": wan, "local_mac": lan, "other_mac": wan, "ip_dscp": "46",
			"other_type": "other_remote", "origin": "origin_local", "detection_packets": "4", "confidence": "95",
		}},
		// The client's address is the greater one: the ends stand the other way round in the key.
		{"outward, key turned", "192.168.1.2:40000", "8.8.8.8:443", map[string]string{
			"src_mac": lan, "dst_mac": wan, "local_mac": lan, "other_mac": wan, "ip_dscp": "46",
			"other_type": "other_remote", "origin": "origin_local", "detection_packets": "4", "confidence": "95",
		}},
		{"inward", "198.51.100.1:40000", "192.168.1.2:443", map[string]string{
			"src_mac": lan, "dst_mac": wan, "local_mac": wan, "other_mac": lan, "ip_dscp": "46",
			"other_type": "other_remote", "origin": "origin_other", "detection_packets": "4", "confidence": "95",
		}},
		{"inside", "192.168.1.2:40000", "192.168.1.3:443", map[string]string{
			"src_mac": lan, "dst_mac": wan, "local_mac": lan, "other_mac": wan, "ip_dscp": "46",
			"other_type": "other_local", "origin": "origin_local", "detection_packets": "4", "confidence": "95",
		}},
		{"outside", "198.51.100.1:40000", "198.51.100.2:443", map[string]string{
			"src_mac": lan, "dst_mac": wan, "local_mac": lan, "other_mac": wan, "ip_dscp": "46",
			"other_type": "other_remote", "origin": "origin_unknown", "detection_packets": "4", "confidence": "95",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := connect(tt.client, tt.server)
			c.macs, c.tos = macs, 46<<2
			got := known(t, newScript().call(c, "us04.zoom.us"), bundle(t, zoomPolicy()), nil)
			if diff := cmp.Diff(tt.want, pick(got, names...)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestOtherTypeOfGroups(t *testing.T) {
	for server, want := range map[string]string{
		"224.0.0.251:5353":     "other_multicast",
		"[ff02::fb]:5353":      "other_multicast",
		"255.255.255.255:67":   "other_broadcast",
		"203.0.113.255:137":    "other_broadcast", // of a network that the bundle names
		"192.168.1.255:137":    "other_local",     // of a network whose width nobody told us
		"203.0.113.7:137":      "other_local",
		"198.51.100.255:40000": "other_remote",
	} {
		t.Run(server, func(t *testing.T) {
			client := "192.168.1.2:40000"
			if server[0] == '[' {
				client = "[fe80::1]:40000"
			}
			b := bundle(t, zoomPolicy())
			b.Settings.LocalNetworks = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
			got := known(t, newScript().udp(connect(client, server), 0, "x"), b, nil)
			if got["other_type"] != want || got["origin"] != "origin_local" {
				t.Errorf("got %s, %s, want %s, origin_local", got["other_type"], got["origin"], want)
			}
		})
	}
}

// TestTranslationIsAFact has a policy ask for NAT, which the reply shows.
func TestTranslationIsAFact(t *testing.T) {
	c := connect("192.168.1.2:40000", "198.51.100.1:443")
	c.live, c.natted = true, netip.MustParseAddrPort("203.0.113.9:61000")
	original := flow.Tuple{Src: c.client.Addr(), Dst: c.server.Addr(), SrcPort: c.client.Port(), DstPort: c.server.Port(), Proto: 6}
	got := known(t, newScript().call(c, "us04.zoom.us"), bundle(t, zoomPolicy()), func(cfg *Config) {
		cfg.Live, cfg.Resolver = true, resolverFunc(func(flow.Tuple) (flow.Tuple, bool) { return original, true })
	})
	want := map[string]string{"ip_nat": "true", "ct_reply_dst_ip": "203.0.113.9"}
	if diff := cmp.Diff(want, pick(got, "ip_nat", "ct_reply_src_ip", "ct_reply_dst_ip")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	got = known(t, newScript().call(connect("192.168.1.2:40000", "198.51.100.1:443"), "us04.zoom.us"), bundle(t, zoomPolicy()), nil)
	if v, ok := got["ip_nat"]; ok {
		t.Errorf("ip_nat is %q without a translation", v)
	}
}

type resolverFunc func(flow.Tuple) (flow.Tuple, bool)

func (f resolverFunc) Original(reply flow.Tuple) (flow.Tuple, bool) { return f(reply) }

// TestForgedMACs fills the table of hardware addresses: the flows go on
// without them.
func TestForgedMACs(t *testing.T) {
	table := newMACTable()
	for i := range 2 * maxMACs {
		var mac [6]byte
		binary.BigEndian.PutUint32(mac[2:], uint32(i)+1)
		if got := table.of(mac); (got != 0) != (i < maxMACs) {
			t.Fatalf("address %d has index %d", i, got)
		}
	}
	if len(table.texts) != maxMACs+1 || len(table.index) != maxMACs {
		t.Errorf("%d texts, %d indexes, want %d addresses", len(table.texts), len(table.index), maxMACs)
	}
	for _, mac := range [][6]byte{{}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {0x33, 0x33, 0, 0, 0, 1}} {
		if got := newMACTable(); got.of(mac) != 0 {
			t.Errorf("%x is somebody's address", mac)
		}
	}
}

func TestFactsOfHeadersAreNotKept(t *testing.T) {
	f := fact.Facts{
		SrcMAC: "a", DstMAC: "b", LocalMAC: "a", OtherMAC: "b", IPDSCP: 46, IPNAT: true, OtherType: fact.OtherLocal, Origin: fact.OriginLocal, TunnelType: fact.TunnelGTP, DetectionPackets: 3,
		CTReplySrcIP: netip.MustParseAddr("192.0.2.1"), CTReplyDstIP: netip.MustParseAddr("192.0.2.2"),
	}
	if i := newFactStore().keep(&f, 0); i != 0 {
		t.Errorf("kept as %d", i)
	}
}
