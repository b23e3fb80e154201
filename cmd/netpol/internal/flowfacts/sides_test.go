package flowfacts

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/dissect/all"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/lang/fact"
)

// packets is a source of them.
type packets struct {
	list [][]byte
	next int
}

func (p *packets) Next(raw *packet.Raw) error {
	if p.next == len(p.list) {
		return io.EOF
	}
	*raw = packet.Raw{Data: p.list[p.next], LinkType: packet.LinkRaw, Length: len(p.list[p.next]), Timestamp: int64(p.next+1) * int64(time.Millisecond)}
	p.next++
	return nil
}

// datagram is one from a port of its number, with its source's address before.
func datagram(t *testing.T, src, dst netip.Addr, number int) []byte {
	t.Helper()
	udp := &layers.UDP{SrcPort: layers.UDPPort(20000 + number), DstPort: 40001}
	var ip gopacket.SerializableLayer = &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: src.AsSlice(), DstIP: dst.AsSlice()}
	if src.Is6() {
		ip = &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolUDP, SrcIP: src.AsSlice(), DstIP: dst.AsSlice()}
	}
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true}, ip, udp, gopacket.Payload("nobody's protocol")); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestSidesAsTheEngineHasThem: tests of policies and the engine, which replay and
// netpold run, take the same side of each flow for local.
func TestSidesAsTheEngineHasThem(t *testing.T) {
	b := bundle(t, `netpol {
  local_networks = ["203.0.113.0/24", "2001:db8:1::/48"]
}
policy "all" {
  criteria = "origin == 'origin_local' || local_port == 1"
  label    = "all"
}
`)
	world, err := NewWorld(b)
	if err != nil {
		t.Fatal(err)
	}
	families := [][]string{
		{"192.168.1.2", "10.0.0.1", "169.254.7.7", "203.0.113.7", "203.0.113.255", "198.51.100.1", "9.9.9.9", "224.0.0.251", "255.255.255.255"},
		{"fd00::1", "fe80::1", "2001:db8:1::7", "2001:db8:2::7", "2620:fe::fe", "ff02::fb"},
	}
	source := &packets{}
	want := map[int]string{}
	for _, list := range families {
		for _, from := range list {
			for _, to := range list {
				src, dst := netip.MustParseAddr(from), netip.MustParseAddr(to)
				if src == dst || src.IsMulticast() || from == "255.255.255.255" || from == "203.0.113.255" {
					continue // nobody sends so
				}
				n := len(source.list)
				source.list = append(source.list, datagram(t, src, dst, n))
				f := &fact.Facts{SrcIP: src, DstIP: dst, SrcPort: 20000 + n, DstPort: 40001, IPProtocol: 17}
				world.Complete(f, map[string]bool{"src_ip": true, "dst_ip": true, "src_port": true, "dst_port": true, "ip_protocol": true})
				want[20000+n] = fmt.Sprintf("%s %s: local %s other %s %d %d", f.Origin, f.OtherType, f.LocalIP, f.OtherIP, f.LocalPort, f.OtherPort)
			}
		}
	}
	explain := func(w telemetry.Why) {
		var f fact.Facts
		for _, e := range w.Evidence {
			switch e.Attribute {
			case "origin":
				f.Origin = e.Value
			case "other_type":
				f.OtherType = e.Value
			case "local_ip":
				f.LocalIP = netip.MustParseAddr(e.Value)
			case "other_ip":
				f.OtherIP = netip.MustParseAddr(e.Value)
			case "local_port":
				_, _ = fmt.Sscan(e.Value, &f.LocalPort)
			case "other_port":
				_, _ = fmt.Sscan(e.Value, &f.OtherPort)
			}
		}
		got := fmt.Sprintf("%s %s: local %s other %s %d %d", f.Origin, f.OtherType, f.LocalIP, f.OtherIP, f.LocalPort, f.OtherPort)
		if got != want[w.Flow.SrcPort] {
			t.Errorf("%s to %s: the engine has %s, tests of policies %s", w.Flow.SrcIP, w.Flow.DstIP, got, want[w.Flow.SrcPort])
		}
		delete(want, w.Flow.SrcPort)
	}
	e, err := enforcer.New(enforcer.Config{Source: source, Dissectors: all.Dissectors(), Bundle: b, Explain: explain})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(want) > 0 {
		t.Errorf("the engine has not told of %v", want)
	}
}
