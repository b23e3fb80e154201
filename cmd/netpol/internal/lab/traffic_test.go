package lab_test

import (
	"context"
	"net/netip"
	"testing"

	"github.com/netpol/netpol/cmd/netpol/internal/lab"
)

type tuple struct {
	proto    uint8
	src, dst netip.AddrPort
}

func count(sightings []lab.Sighting) map[tuple]int {
	n := map[tuple]int{}
	for _, s := range sightings {
		n[tuple{s.Proto, s.Src, s.Dst}]++
	}
	return n
}

func TestCallCrossesRouterBothWays(t *testing.T) {
	call := lab.Call()
	topology := newTopology(t, call)
	wan := observe(t, topology.Server, lab.Inside)
	lan := observe(t, topology.Client, lab.Inside)
	traffic, err := lab.NewTraffic(topology, call)
	if err != nil {
		t.Fatal(err)
	}
	if err := traffic.Play(context.Background(), call); err != nil {
		t.Error(err)
	}
	if err := traffic.Close(); err != nil {
		t.Error(err)
	}
	up, down := count(wan.Sightings()), count(lan.Sightings())
	for _, c := range call {
		proto := uint8(6)
		if c.Kind.UDP() {
			proto = 17
		}
		least := 12
		if c.Kind == lab.KindDNS {
			least = 1
		}
		if got := up[tuple{proto, c.Client, c.Server}]; got < least {
			t.Errorf("%s: %d packets of %s reached the server, want at least %d", c.About, got, c.Client, least)
		}
		if got := down[tuple{proto, c.Server, c.Client}]; got < least {
			t.Errorf("%s: %d packets of %s reached the client, want at least %d", c.About, got, c.Server, least)
		}
	}
}

func TestObserverSeesRoutedPackets(t *testing.T) {
	call := lab.Call()[:2]
	topology := newTopology(t, call)
	wan := observe(t, topology.Server, lab.Inside)
	traffic, err := lab.NewTraffic(topology, call)
	if err != nil {
		t.Fatal(err)
	}
	if err := traffic.Play(context.Background(), call); err != nil {
		t.Error(err)
	}
	if err := traffic.Close(); err != nil {
		t.Error(err)
	}
	for _, s := range wan.Sightings() {
		if s.Src != call[1].Client {
			continue
		}
		if s.TTL != 63 || s.TOS != 0 || s.Length < 40 {
			t.Errorf("got %+v, want ttl 63 (one router), tos 0 (no policy), a length", s)
		}
	}
}
