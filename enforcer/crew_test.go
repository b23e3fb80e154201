package enforcer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/enforcer/flow"
)

// crewOf runs an engine with a lane for each script and returns what each wrote.
func crewOf(t *testing.T, at **Engine, change func(*Config), scripts ...*script) []*journal {
	t.Helper()
	b := bundle(t, zoomPolicy())
	list := make([]*journal, len(scripts))
	for i := range list {
		list[i] = &journal{bits: []string{"zoom"}}
	}
	c := Config{Source: scripts[0], Labels: list[0], Dissectors: dissectors(), Bundle: b, Live: true}
	for i, s := range scripts[1:] {
		c.Lanes = append(c.Lanes, Lane{Source: s, Labels: list[1+i]})
	}
	c.LaneOf = func(connection *flow.Connection) int { return int(connection.ID) % len(scripts) }
	if change != nil {
		change(&c)
	}
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	*at = e
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return list
}

// TestWorkersShareWhatClientsWereTold: the answer that one worker saw names the
// flow of another, the counters are of both, and both are asked for flows.
func TestWorkersShareWhatClientsWereTold(t *testing.T) {
	var e *Engine
	dns, bare := liveConn("192.168.1.2:5353", "192.168.1.1:53"), liveConn("192.168.1.2:40000", "198.51.100.7:9000")
	var seen []string
	var why bool
	asked := make(chan struct{})
	first := newScript().udp(dns, client, "q").udp(dns, server, "us04.zoom.us 198.51.100.7")
	second := newScript().until(func() bool { return e.Stats().Names == 1 }).tcp(bare, client, "A", 0, "???").do(func() {
		go func() {
			defer close(asked)
			for _, f := range e.Flows(10) {
				seen = append(seen, fmt.Sprintf("%s %s", f.DstIP, f.Application))
			}
			_, why = e.Why(flow.Tuple{Src: bare.client.Addr(), Dst: bare.server.Addr(), SrcPort: 40000, DstPort: 9000, Proto: 6})
		}()
	})
	for _, s := range []*script{first, second} {
		s.until(func() bool {
			select {
			case <-asked:
				return true
			default:
				return false
			}
		})
	}
	got := crewOf(t, &e, nil, first, second)
	want := []string{"tcp 192.168.1.2:40000>198.51.100.7:9000 labels=[zoom]/1 mark=0x80000000/0x80000000"}
	if diff := cmp.Diff(want, got[1].lines); diff != "" {
		t.Errorf("the second worker's writes, -want +got:\n%s", diff)
	}
	if s := e.Stats(); s.Packets != 3 || s.FlowsSeen != 2 {
		t.Errorf("got %d packets of %d flows, want 3 of 2", s.Packets, s.FlowsSeen)
	}
	slices.Sort(seen)
	if diff := cmp.Diff([]string{"192.168.1.1 ", "198.51.100.7 zoom"}, seen); diff != "" || !why {
		t.Errorf("asked for flows, -want +got:\n%s; account found: %v", diff, why)
	}
}

// TestWorkersAdoptTheirOwn: one list of conntrack's connections serves all, and
// each worker takes in those whose packets it is shown.
func TestWorkersAdoptTheirOwn(t *testing.T) {
	k := &tracker{wishes: make(chan string, 100), seen: map[string]bool{}}
	for i := range 4 {
		c := old(fmt.Sprintf("192.168.1.2:%d", 40000+i), "203.0.113.9:8801", 0, 500, 0)
		c.ID = uint32(i)
		k.list = append(k.list, c)
	}
	var e *Engine
	adopted := func() bool { return e.Stats().Adopted == 4 }
	got := crewOf(t, &e, func(c *Config) { c.Tracker = k }, newScript().until(adopted).idle(), newScript().until(adopted).idle())
	for lane, j := range got {
		var want []string
		for i := lane; i < 4; i += 2 {
			want = append(want, fmt.Sprintf("tcp 192.168.1.2:%d>203.0.113.9:8801 labels=[zoom]/1 mark=0x80000000/0x80000000", 40000+i))
		}
		if diff := cmp.Diff(want, j.lines); diff != "" {
			t.Errorf("lane %d, -want +got:\n%s", lane, diff)
		}
	}
}

// TestWorkersGoOverTogether: a bundle reaches every worker, and is counted once.
func TestWorkersGoOverTogether(t *testing.T) {
	var e *Engine
	over := func() bool { return e.Stats().Reloads == 1 && e.Stats().Writes == 2 }
	calls := func(client string) *script {
		return newScript().call(liveConn(client, "198.51.100.1:443"), "www.skype.com")
	}
	first := calls("192.168.1.2:40000").do(func() {
		b := bundle(t, zoomPolicy())
		b.Labels[0].Bit = 5
		b.Program.Effects[0].Labels = []int{5}
		if err := e.Reload(b); err != nil {
			t.Error(err)
		}
	})
	crewOf(t, &e, nil, first.until(over).idle(), calls("192.168.1.3:40000").until(over).idle())
	if s := e.Stats(); s.Reloads != 1 {
		t.Errorf("%d reloads, want 1", s.Reloads)
	}
}

// TestOneHungWorkerStopsTheHeart: the kernel is to know that some connections are
// not looked at.
func TestOneHungWorkerStopsTheHeart(t *testing.T) {
	b := &beats{made: make(chan struct{}, 10)}
	h := newHeart(t.Context(), b, 2, slog.New(slog.DiscardHandler))
	h.offer(0, 1, time.Second)
	h.offer(1, 1, time.Second)
	<-b.made
	for now := int64(2e9); now < 9e9; now += 1e9 {
		h.offer(0, now, time.Second) // and nothing of lane 1
	}
	time.Sleep(20 * time.Millisecond)
	if len(b.made) > 0 {
		t.Error("the heart beats although a worker hangs")
	}
}

// TestOneFailedSourceEndsAll: netpold ends, and systemd starts it anew.
func TestOneFailedSourceEndsAll(t *testing.T) {
	broken := errors.New("no such device")
	e, err := New(Config{
		Source: newScript().until(func() bool { return false }), Dissectors: dissectors(), Bundle: bundle(t, zoomPolicy()), Live: true,
		Lanes: []Lane{{Source: newScript().fails(broken)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(context.Background()); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

// forgetful is a label sink that loses the first update, and knows.
type forgetful struct {
	journal
	lost uint64
}

func (f *forgetful) Write(u flow.Update) error {
	if f.lost++; f.lost == 1 {
		return nil
	}
	f.lost = 1
	return f.journal.Write(u)
}

func (f *forgetful) Lost() uint64 { return min(f.lost, 1) }

// TestLostUpdatesAreMadeGood: what the kernel did not get is found in a list of
// connections and written again.
func TestLostUpdatesAreMadeGood(t *testing.T) {
	c := liveConn("192.168.1.2:40000", "198.51.100.1:443")
	there := old("192.168.1.2:40000", "198.51.100.1:443", 0, 5, 0)
	k := &tracker{list: []flow.Connection{there}, wishes: make(chan string, 100), seen: map[string]bool{}}
	f := &forgetful{journal: journal{bits: []string{"zoom"}}}
	var e *Engine
	s := newScript().until(func() bool { return k.answered("all") }).call(c, "us04.zoom.us").wait(time.Second)
	s.idle().until(func() bool { return e.Stats().Corrected == 1 }).idle()
	crewOf(t, &e, func(c *Config) { c.Tracker, c.Labels, c.clock = k, f, s.clock }, s)
	// The one that was found is not this one; then once when it was decided, and once because the list lacks it.
	const begun = "tcp 192.168.1.2:40000>198.51.100.1:443 labels=[]/0 mark=0x0/0x80000000"
	const written = "tcp 192.168.1.2:40000>198.51.100.1:443 labels=[zoom]/1 mark=0x80000000/0x80000000"
	if diff := cmp.Diff([]string{begun, written, written}, f.lines); diff != "" || e.Stats().Relisted != 1 {
		t.Errorf("listed anew %d times, want 1; writes, -want +got:\n%s", e.Stats().Relisted, diff)
	}
}
