package enforcer

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/enforcer/flow"
)

// TestClockIsSet: whatever is done to the router's clock, a flow that says
// nothing more is decided ten seconds later, not sooner and not an hour later.
func TestClockIsSet(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  time.Duration
	}{
		{"not", 0},
		{"back an hour", -time.Hour},
		{"back two seconds", -2 * time.Second},
		{"forward an hour", time.Hour},
		{"from 1970", 56 * 365 * 24 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := liveConn("192.168.1.2:40000", "203.0.113.9:443")
			s := newScript().handshake(c).tcp(c, client, "A", 0, "HELLO ")
			other := liveConn("192.168.1.9:0", "198.51.100.1:0")
			s.setClock(tt.set)
			var sooner, later int
			j := &journal{bits: []string{"zoom"}}
			s.wait(time.Second).ping(other, client, 3, 0).idle().wait(7*time.Second).ping(other, client, 3, 0).idle()
			s.do(nil).do(func() { sooner = len(j.lines) })
			s.wait(4 * time.Second).idle().do(nil).do(func() { later = len(j.lines) })
			play(t, s, bundle(t, zoomPolicy()), func(c *Config) { live(c); c.Labels = j })
			if sooner != 0 || later != 1 {
				t.Errorf("%d writes after 8 s and %d after 12 s, want 0 and 1: %q", sooner, later, j.lines)
			}
		})
	}
}

// TestRecordsShowTheWallClock: people compare records with their own clock.
func TestRecordsShowTheWallClock(t *testing.T) {
	c := liveConn("192.168.1.2:40000", "198.51.100.1:443")
	s := newScript()
	begin := s.now
	s.setClock(-time.Hour).call(c, "us04.zoom.us").wait(time.Minute).tcp(c, server, "A", 0, "x")
	j, _ := play(t, s, bundle(t, zoomPolicy()), live)
	got := []time.Duration{j.flows[0].FirstSeen.Sub(begin), j.flows[0].LastSeen.Sub(begin)}
	want := []time.Duration{-time.Hour + time.Millisecond, -time.Hour + time.Minute + 5*time.Millisecond}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("first and last seen after the beginning, -want +got:\n%s", diff)
	}
}

// TestPacketsFromBeforeTheStep: packets that waited while the clock was set
// bear the old time.
func TestPacketsFromBeforeTheStep(t *testing.T) {
	wall, steady := int64(1e18), int64(0)
	c := clock{read: func() (int64, int64) { return wall, steady }}
	c.begin()
	for _, tt := range []struct {
		name         string
		step, passes time.Duration
		stamp        time.Duration // before the wall clock
		want         time.Duration // of the engine's clock since the last
	}{
		{"in time", 0, time.Millisecond, 0, time.Millisecond},
		{"waited", 0, time.Millisecond, time.Millisecond, 0},
		{"set back, bears the new time", -time.Hour, time.Second, 0, time.Second},
		{"bears the time of before", 0, time.Second, -time.Hour, time.Second},
		{"set forward, bears the new time", 2 * time.Hour, time.Second, 0, time.Second},
		{"bears the time of before that", 0, time.Second, 2 * time.Hour, time.Second},
		{"in time again", 0, 0, 0, 0},
	} {
		before := c.now
		wall += int64(tt.step + tt.passes)
		steady += int64(tt.passes)
		c.packet(wall - int64(tt.stamp))
		if got := time.Duration(c.now - before); got < 0 || (got-tt.want).Abs() > 2*time.Millisecond {
			t.Errorf("%s: the clock moved by %s, want %s", tt.name, got, tt.want)
		}
	}
	c.look()
	if got := c.wall(c.now); got != wall {
		t.Errorf("the wall clock is at %d, the engine takes it for %d", wall, got)
	}
	if got := c.of(wall); got != c.now {
		t.Errorf("now is %d on the engine's clock, want %d", got, c.now)
	}
}

func TestClosingIsTheEnd(t *testing.T) {
	r := flow.Record{}
	if r.Ended() {
		t.Error("a new flow is over")
	}
	r.Set(flow.Closing)
	if !r.Ended() {
		t.Error("a closing flow is not over")
	}
}
