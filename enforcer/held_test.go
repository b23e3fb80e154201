package enforcer

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
)

// gate is a script whose packets wait, and a journal of what is written and
// released, in order.
type gate struct {
	*script
	journal
	err    error
	crowd  bool // the whole script is there at once
	longer int  // most releases in one call
}

func (g *gate) Next(raw *packet.Raw) error { return g.script.Next(raw) }

func (g *gate) Pending() bool { return g.crowd && len(g.steps) > 0 }

// Flush is when the kernel is told what was written.
func (g *gate) Flush() error {
	g.lines = append(g.lines, "flush")
	return nil
}

func (g *gate) Release(list []flow.Release) error {
	g.longer = max(g.longer, len(list))
	for _, r := range list {
		g.lines = append(g.lines, fmt.Sprintf("release %d new=%v labels=%x done=%v", r.Ticket.ID, r.Ticket.New, r.Labels[0], r.Done))
	}
	return g.err
}

// hold gives every packet of the script a ticket; first are those of flows that
// conntrack has not confirmed.
func (g *gate) hold(first ...uint32) *gate {
	for i := range g.steps {
		id := uint32(i + 1)
		if g.steps[i].err == nil {
			g.steps[i].raw.Ticket = packet.Ticket{ID: id, New: slices.Contains(first, id)}
		}
	}
	return g
}

func (g *gate) run(t *testing.T, b *artifact.Bundle) Stats {
	t.Helper()
	e, err := New(Config{Source: g, Labels: g, Dissectors: dissectors(), Bundle: b, Live: true, clock: g.clock})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e.Stats()
}

// A packet goes on after what its flow carries has been written; in a flow that
// nobody can write on yet it goes first, with what it is to carry.
func TestHeldPacketsGoOnAfterTheVerdict(t *testing.T) {
	tcp := liveConn("192.168.1.9:4000", "198.51.100.1:443")
	g := &gate{script: newScript().call(tcp, "us04.zoom.us")}
	stats := g.hold(1).run(t, bundle(t, zoomPolicy()))
	want := []string{
		"release 1 new=true labels=0 done=false",
		"release 2 new=false labels=0 done=false",
		"release 3 new=false labels=0 done=false",
		"tcp 192.168.1.9:4000>198.51.100.1:443 labels=[]/1 mark=0x80000000/0x80000000",
		"flush",
		"release 4 new=false labels=1 done=true",
	}
	if !slices.Equal(g.lines, want) {
		t.Errorf("got %q\nwant %q", g.lines, want)
	}
	if stats.Held != 4 || stats.HeldUndecided != 3 || stats.HoldMissed != 0 {
		t.Errorf("%d held, %d of them undecided, want 4 and 3", stats.Held, stats.HeldUndecided)
	}

	udp := liveConn("192.168.1.9:4001", "203.0.113.5:999")
	b := bundle(t, policyOf{name: "port", all: []artifact.Test{portTest(999)}})
	g = &gate{script: newScript().udp(udp, dissect.Client, "x")}
	g.hold(1).run(t, b)
	first, flushed := slices.Index(g.lines, "release 1 new=true labels=1 done=false"), slices.Index(g.lines, "flush")
	if first < 0 || flushed < first {
		t.Errorf("got %q, want the packet of a new flow to go first, with its label", g.lines)
	}
}

// What cannot be read goes on at once; what makes no flow does, too.
func TestHeldRubbishGoesOn(t *testing.T) {
	s := newScript()
	s.steps = append(s.steps, step{at: s.now.UnixNano(), raw: packet.Raw{LinkType: packet.LinkRaw, Data: []byte{0x45}}},
		step{at: s.now.UnixNano(), raw: packet.Raw{LinkType: packet.LinkRaw}})
	g := &gate{script: s}
	if g.hold().run(t, bundle(t, zoomPolicy())); len(g.lines) != 2 {
		t.Errorf("got %q, want both released", g.lines)
	}
}

// However many packets come at once, only some wait for each other.
func TestHeldPacketsWaitForFewOthers(t *testing.T) {
	s := newScript()
	for i := range 100 {
		s.udp(liveConn(fmt.Sprintf("192.168.1.9:%d", 5000+i), "198.51.100.1:999"), dissect.Client, "x")
	}
	g := &gate{script: s, crowd: true}
	g.hold().run(t, bundle(t, zoomPolicy()))
	if g.longer > heldBatch || len(g.lines) < 100 {
		t.Errorf("%d packets were released, up to %d at once, want 100, up to %d", len(g.lines), g.longer, heldBatch)
	}
}

// The end of the engine, and errors of the source, keep no packet.
func TestHeldPacketsAreReleasedAtTheEnd(t *testing.T) {
	s := newScript().udp(liveConn("192.168.1.9:5000", "198.51.100.1:999"), dissect.Client, "x")
	s.steps = append(s.steps, step{at: s.now.UnixNano(), raw: packet.Raw{Missed: true}})
	g := &gate{script: s, crowd: true, err: errors.New("socket is gone")}
	g.steps[0].raw.Ticket = packet.Ticket{ID: 1}
	stats := g.run(t, bundle(t, zoomPolicy()))
	if len(g.lines) == 0 || stats.ReleaseErrors != 1 || stats.HoldMissed != 1 {
		t.Errorf("got %q, %d errors and %d missed, want a release, an error and one missed", g.lines, stats.ReleaseErrors, stats.HoldMissed)
	}
}

// Sets whose elements live shorter are renewed more often.
func TestBeatsFollowTheShortestLife(t *testing.T) {
	for _, c := range []struct {
		lives []time.Duration
		want  time.Duration
	}{
		{nil, 3 * time.Second},
		{[]time.Duration{10 * time.Second}, 3 * time.Second},
		{[]time.Duration{10 * time.Second, 2 * time.Second}, 600 * time.Millisecond},
	} {
		rs := &artifact.Ruleset{}
		for _, life := range c.lives {
			rs.Sets = append(rs.Sets, artifact.Set{Heartbeat: life})
		}
		if got := beatsOf(rs); got != c.want {
			t.Errorf("%v: a beat every %v, want %v", c.lives, got, c.want)
		}
	}
}

// A connection that a policy which holds can no longer match waits no longer: by
// its port from the first packet on.
func TestPacketsWaitWhileAPolicyCouldMatch(t *testing.T) {
	holding := func(port int) *artifact.Bundle {
		b := bundle(t, policyOf{name: "blocked", all: []artifact.Test{portTest(port), textTest("hostname", "blocked.example")}})
		b.Labels = append(b.Labels, artifact.Label{Name: artifact.HoldLabel, Bit: 7})
		b.Policies[0].Hold, b.Program.Sticky = true, []int{7}
		return b
	}
	tcp := liveConn("192.168.1.9:4000", "198.51.100.1:443")
	const unheld = "tcp 192.168.1.9:4000>198.51.100.1:443 labels=[]/80 mark=0x0/0x0"
	for port, want := range map[int]bool{443: false, 8443: true} {
		g := &gate{script: newScript().call(tcp, "us04.zoom.us")}
		stats := g.hold(1).run(t, holding(port))
		if got := slices.Contains(g.lines, unheld); got != want || stats.HeldReleased != map[bool]uint64{true: 1}[want] {
			t.Errorf("with port %d: got %q and %d released, want %v", port, g.lines, stats.HeldReleased, want)
		}
		if first, sent := slices.Index(g.lines, "release 1 new=true labels=0 done=false"), slices.Index(g.lines, "flush"); first < 0 || sent < first {
			t.Errorf("got %q, want the first packet to go before its connection is written on", g.lines)
		}
	}
}
