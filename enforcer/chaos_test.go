package enforcer

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
)

// chaos plays packets of a few connections and what conntrack says of them in no order at all,
// to a worker that has little room.
type chaos struct {
	*worker
	t       *testing.T
	s       *script
	rnd     *rand.Rand
	conns   []*conn
	bundles []*artifact.Bundle
}

func newChaos(t *testing.T, seed uint64) *chaos {
	c := &chaos{t: t, s: newScript(), rnd: rand.New(rand.NewPCG(seed, 1))}
	all := []string{"flow", "flow_update", "flow_stats", "flow_end", "endpoints", "policy_match", "aggregate"}
	full := withSinks(reading(t, zoomPolicy(), over("total_bytes", 5000)), artifact.Sink{Name: "all", Records: all, Interval: 5 * time.Second})
	full.Aggregates = []artifact.Aggregate{{Name: "a", By: []string{"local_ip", "policy"}, Interval: 10 * time.Second, Sinks: []int{0}, Top: 3, Keys: 4, Health: true}}
	c.bundles = []*artifact.Bundle{full, bundle(t, zoomPolicy()), shedding(t), bundle(t, zoomPolicy(), policyOf{name: "web", all: []artifact.Test{portTest(443)}})}
	for i := range 10 {
		at := fmt.Sprintf("192.168.1.%d:%d", 2+i%3, 40000+i)
		if i%4 == 3 {
			at = fmt.Sprintf("[2001:db8::%d]:%d", 2+i%3, 40000+i)
			c.conns = append(c.conns, liveConn(at, "[2001:db8:1::1]:443"))
			continue
		}
		one := liveConn(at, []string{"198.51.100.1:443", "203.0.113.9:53", "198.51.100.1:21"}[i%3])
		if i%5 == 4 {
			one.natted = netip.MustParseAddrPort("192.0.2.1:6000")
		}
		one.macs = [2][6]byte{{2, 0, 0, 0, 0, byte(i)}, {2, 1}}
		c.conns = append(c.conns, one)
	}
	e, err := New(Config{
		Source: c.s, Labels: &journal{}, Recorder: &journal{}, Outlets: &printed{}, Dissectors: dissectors(), Bundle: full, Live: true, clock: c.s.clock,
		MaxFlows: 6, MaxOpening: 3, MaxBuffers: 2048, Resolver: c,
	})
	if err != nil {
		t.Fatal(err)
	}
	c.worker = newWorker(e, 0)
	return c
}

// Original makes chaos a Resolver.
func (c *chaos) Original(reply flow.Tuple) (flow.Tuple, bool) {
	for _, one := range c.conns {
		if one.natted.IsValid() && reply.Dst == one.natted.Addr() && reply.Src == one.server.Addr() && reply.SrcPort == one.server.Port() {
			t := one.tuple()
			t.Proto = reply.Proto
			return t, true
		}
	}
	return flow.Tuple{}, false
}

func oneOf[T any](rnd *rand.Rand, list ...T) T { return list[rnd.IntN(len(list))] }

// step does one thing.
func (c *chaos) step() {
	one := *oneOf(c.rnd, c.conns...)
	switch c.rnd.IntN(20) {
	case 0:
		c.s.wait(oneOf(c.rnd, 60*time.Millisecond, 3*time.Second, 11*time.Second, 3*time.Minute, 2*time.Hour))
		c.s.played = c.s.now.UnixNano()
		c.between()
	case 1:
		if err := c.engine.Reload(oneOf(c.rnd, c.bundles...)); err != nil {
			c.t.Fatal(err)
		}
		c.between()
	case 2, 3, 4:
		c.conntrack(&one)
	case 5:
		c.missed(c.clock.now)
		c.vanished(c.clock.now)
	case 6:
		c.s.udp(&one, oneOf(c.rnd, client, server), oneOf(c.rnd, "a.zoom.us 203.0.113.7", "BOOM", "x", ""))
	case 7:
		c.s.ping(&one, oneOf(c.rnd, client, server), oneOf[uint8](c.rnd, 0, 3, 8), 7)
	case 8, 9:
		c.begin(&one)
	default:
		c.segment(&one)
	}
	for c.s.Next(c.raw) == nil {
		c.packet()
	}
	c.check()
}

// begin opens a connection, which may go on with what its receiver throws away.
func (c *chaos) begin(one *conn) {
	again := *one
	again.seq[client] += c.rnd.Uint32()
	c.s.handshake(&again)
	if c.rnd.IntN(2) == 0 {
		again.seq[server] += 2 * flow.MaxWindow
		c.s.tcp(&again, client, "A", 0, "HELLO us04.zoom.us\n").tcp(&again, client, oneOf(c.rnd, "RA", "A", "FA"), 0, "")
	}
}

func (c *chaos) segment(one *conn) {
	if c.rnd.IntN(6) == 0 {
		one.seq[c.rnd.IntN(2)] += oneOf[uint32](c.rnd, 1, 1000, 2*flow.MaxWindow, 1<<31)
	}
	flags := oneOf(c.rnd, "S", "SA", "A", "A", "A", "A", "A", "FA", "RA", "R", "SF")
	off := oneOf[uint32](c.rnd, 0, 0, 0, 10, 19, 3000, 40000)
	c.s.tcp(one, oneOf(c.rnd, client, client, server), flags, off, oneOf(c.rnd, "", "HELLO us04", ".zoom.us\n", "HELLO us04.zoom.us\n", "???", "x"))
}

// conntrack tells of a connection's entry, in a list or as it ends.
func (c *chaos) conntrack(one *conn) {
	entry := flow.Connection{
		ID: c.rnd.Uint32N(3), Orig: one.tuple(), Reply: reversed(one.tuple()), Closing: c.rnd.IntN(3) == 0, Mark: oneOf[uint32](c.rnd, 0, doneMark, doneMark|5),
		Sent: flow.Counts{Packets: uint64(c.rnd.IntN(100)), Bytes: uint64(c.rnd.IntN(10000))}, Returned: flow.Counts{Packets: 1, Bytes: 60},
	}
	entry.Orig.Proto = oneOf[uint8](c.rnd, 6, 6, 6, 17)
	entry.Reply.Proto = entry.Orig.Proto
	switch c.rnd.IntN(3) {
	case 0:
		c.adopt(&entry, c.clock.now)
	case 1:
		c.readConnection(&entry, c.clock.now)
	default:
		c.over(&entry)
	}
}

// check holds what must be true between two packets.
func (c *chaos) check() {
	c.t.Helper()
	opened := 0
	c.table.Each(func(id flow.ID, r *flow.Record) bool {
		if r.Has(flow.Opened) {
			opened++
			if r.Class() != flow.Opening || r.Has(flow.Done) {
				c.t.Fatalf("flow %d is inspected, in class %d with flags %#x", id, r.Class(), r.Flags)
			}
		}
		return true
	})
	if opened != c.openings.Used() || opened > c.config.MaxOpening || int64(opened) != c.engine.opening.Load() {
		c.t.Fatalf("%d flows are inspected, with %d openings, counted as %d", opened, c.openings.Used(), c.engine.opening.Load())
	}
	if c.table.Len() > c.config.MaxFlows {
		c.t.Fatalf("%d flows", c.table.Len())
	}
}

// TestWhateverComesIsGivenBack plays packets and entries of conntrack at random: nothing makes the
// engine fall, what is inspected is where it is looked for, and in the end nothing is left of what
// flows had.
func TestWhateverComesIsGivenBack(t *testing.T) {
	const games, steps = 60, 400
	for seed := range uint64(games) {
		c := newChaos(t, seed)
		for range steps {
			c.step()
		}
		c.finish()
		left := map[string]int{
			"flows": c.table.Len(), "openings": c.openings.Used(), "facts": c.store.used(), "traits": c.traits.used(), "tallies": c.tallies.Used(),
			"healths": c.healths.Used(), "bytes": c.buffers.Out(), "audited": len(c.audited), "notified": len(c.notified), "earlier": len(c.earlier), "placed": len(c.placed),
		}
		for what, n := range left {
			if n != 0 {
				t.Errorf("game %d: %d %s are left", seed, n, what)
			}
		}
	}
}
