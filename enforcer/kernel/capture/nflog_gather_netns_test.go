//go:build linux

package capture

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/packet"
)

// TestGatherGoesByTheRate: it begins within a window with many packets, and ends after one
// with few, when none come, and when the clock is set back.
func TestGatherGoesByTheRate(t *testing.T) {
	g, now := gather{}, int64(time.Hour)
	burst := func(packets int) (turned bool) {
		for i := range packets {
			turned = g.turns(now+int64(i)) || turned
		}
		now += gatherWindow
		return turned
	}
	for _, step := range []struct {
		packets      int
		turned, then bool
	}{{gatherFrom / 2, false, false}, {gatherFrom / 2, false, false}, {gatherFrom + 1, true, true}, {gatherFrom, false, true}, {gatherUntil / 2, false, true}, {1, true, false}, {gatherUntil, false, false}} {
		if turned := burst(step.packets); turned != step.turned || g.on != step.then {
			t.Errorf("%d packets: turned %v, on %v; want %v, %v", step.packets, turned, g.on, step.turned, step.then)
		}
	}
	burst(2 * gatherFrom)
	if !g.on || !g.calm() || g.on || g.calm() {
		t.Errorf("calm: on %v", g.on)
	}
	burst(2 * gatherFrom)
	now = int64(time.Minute)
	if burst(1); g.on && burst(1) == g.on {
		t.Error("a clock that was set back holds packets together")
	}
}

// TestFloodIsHandedOverTogether: no packet of a flood is lost or late when the kernel is
// told to gather, and one that comes alone afterwards does not wait for others.
func TestFloodIsHandedOverTogether(t *testing.T) {
	ns := kerneltest.NewNS(t)
	ns.Enter()
	ns.Run("ip", "link", "set", "lo", "up")
	ns.Run("nft", "add table inet t; add chain inet t c { type filter hook output priority 0; }; add rule inet t c udp dport 9000 log group 9")
	l, err := OpenLive(LiveConfig{Groups: []uint16{9}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	out, err := net.ListenPacket("udp", "127.0.0.1:9001") // not connected: nobody listens, and refusals would come back
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	one := func() {
		if _, err := out.WriteTo([]byte("x"), &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9000}); err != nil {
			t.Fatal(err)
		}
	}
	read := func(want int) {
		t.Helper()
		var r packet.Raw
		for waits := 0; want > 0; {
			switch err := l.Next(&r); {
			case err == nil:
				want--
			case !errors.Is(err, packet.ErrIdle):
				t.Fatal(err)
			default:
				if waits++; waits > 100 {
					t.Fatalf("%d packets did not come", want)
				}
			}
		}
	}
	const flood = 60_000
	for range flood {
		one()
	}
	read(flood)
	if lost := l.Lost(); lost > 0 {
		t.Errorf("%d packets lost", lost)
	}
	var r packet.Raw
	for err = nil; !errors.Is(err, packet.ErrIdle); err = l.Next(&r) {
	}
	if l.logs[0].gather.on {
		t.Error("nothing comes, and packets are still to gather")
	}
	best := time.Hour // a busy machine may make any one late
	for range 20 {
		began := time.Now()
		one()
		read(1)
		best = min(best, time.Since(began))
	}
	if best > 5*time.Millisecond {
		t.Errorf("a packet alone took %v at least, as if it waited for others", best)
	}
}
