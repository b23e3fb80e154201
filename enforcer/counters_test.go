package enforcer

import (
	"context"
	"errors"
	"math"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/lang/fact"
)

// over is a policy that holds while an attribute is at least n.
func over(attribute string, n int) policyOf {
	return policyOf{name: attribute, all: []artifact.Test{
		{Op: artifact.TestRange, Attribute: attribute, Ranges: []artifact.Range{{Low: n, High: math.MaxInt - 1}}},
	}}
}

func reading(t *testing.T, policies ...policyOf) *artifact.Bundle {
	t.Helper()
	b := bundle(t, policies...)
	for _, p := range policies {
		for _, test := range p.all {
			b.Program.Reads = append(b.Program.Reads, test.Attribute)
		}
	}
	return b
}

// aligned begins a script at a whole interval, where readings are made.
func aligned() *script {
	s := newScript()
	s.now = s.now.Truncate(DefaultInterval)
	s.played = s.now.UnixNano()
	return s
}

// download has the server send n segments of 1000 bytes, one a millisecond.
func (s *script) download(c *conn, n int) *script {
	for range n {
		s.tcp(c, server, "A", 0, strings.Repeat("x", 960))
	}
	return s
}

// TestRates plays a download that pauses. In the first interval 100 segments
// come down, in the second none, in the third 10.
func TestRates(t *testing.T) {
	c := connect("192.168.1.2:40000", "198.51.100.1:443")
	s := aligned().call(c, "us04.zoom.us").download(c, 100)
	s.wait(5*time.Second).wait(time.Second).tcp(c, client, "A", 30, "")
	s.wait(5*time.Second).download(c, 10)
	s.wait(5*time.Second).tcp(c, client, "A", 30, "")
	j, e := play(t, s, reading(t, over("dst_rate", 20000), over("local_rate", 10), over("duration", 10)), nil)
	want := []string{
		"dst_rate local_rate", // (100 x 1000 + 40) / 5 s down, 4 small packets up
		"",                    // nothing came, nothing went
		"duration",            // 10 x 1000 / 5 s is too little
	}
	var got []string
	for _, line := range j.lines[1:] { // the first says that the analysis is over
		_, rest, _ := strings.Cut(line, "labels=[")
		labels, _, _ := strings.Cut(rest, "]")
		got = append(got, labels)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("labels after the readings, -want +got:\n%s\n%s", diff, strings.Join(j.lines, "\n"))
	}
	if n := e.Stats().Readings; n != 3 {
		t.Errorf("%d readings, want 3", n)
	}
}

// TestReplayEqualsLive gives the same traffic once as packets of a file and
// once as conntrack's counters.
func TestReplayEqualsLive(t *testing.T) {
	policies := []policyOf{over("total_rate", 15000), over("dst_bytes", 100000), over("other_packets", 100), over("src_rate", 1)}
	c := connect("192.168.1.2:40000", "198.51.100.1:443")
	s := aligned().call(c, "us04.zoom.us").download(c, 100).wait(5*time.Second).tcp(c, client, "A", 30, "")
	file, _ := play(t, s, reading(t, policies...), nil)

	l := liveConn("192.168.1.2:40000", "198.51.100.1:443")
	counters := &tracker{}
	s = aligned().call(l, "us04.zoom.us").do(counters.lists(flow.Connection{
		Orig:     l.tuple(),
		Reply:    reversed(l.tuple()),
		Mark:     doneMark,
		Sent:     flow.Counts{Packets: 3, Bytes: 40 + 40 + 40 + 19},
		Returned: flow.Counts{Packets: 101, Bytes: 40 + 100*1000},
	})).wait(5 * time.Second)
	var e *Engine
	s.idle().until(func() bool { return counters.answered(forReadings) && e.Stats().Writes > 1 })
	live, e := playWith(t, s, reading(t, policies...), counters, &e)
	if diff := cmp.Diff(file.lines[len(file.lines)-1:], live.lines[len(live.lines)-1:]); diff != "" {
		t.Errorf("-replay +live:\n%s", diff)
	}
	if !strings.Contains(live.lines[len(live.lines)-1], "labels=[total_rate dst_bytes other_packets src_rate]") {
		t.Errorf("got %q", live.lines)
	}
	if e.Stats().Adopted != 0 {
		t.Errorf("%d flows adopted that were known", e.Stats().Adopted)
	}
	if f := live.flows[len(live.flows)-1]; f.Bytes != 100179 || f.Packets != 104 {
		t.Errorf("the record has %d packets of %d bytes, want conntrack's 104 of 100179", f.Packets, f.Bytes)
	}
}

const forReadings = "readings"

// tracker is a conntrack of a test.
type tracker struct {
	mu     sync.Mutex // guards list
	list   []flow.Connection
	err    error
	wishes chan string // what was asked for
	seen   map[string]bool
}

// lists has later lists be this one. A flow that is to be seen from its first packet
// is in a list only then: the engine's first list may come before its packets, and
// what it has done with is taken for an earlier process's.
func (k *tracker) lists(list ...flow.Connection) func() {
	return func() {
		k.mu.Lock()
		k.list = list
		k.mu.Unlock()
	}
}

func (k *tracker) Connections(value, mask uint32, each func(*flow.Connection) error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.list {
		if c := k.list[i]; c.Mark&mask == value {
			if err := each(&c); err != nil {
				return err
			}
		}
	}
	what := "all"
	if mask != 0 {
		what = forReadings
	}
	k.wishes <- what
	return k.err
}

// answered says that a list of that kind was made.
func (k *tracker) answered(what string) bool {
	for {
		select {
		case w := <-k.wishes:
			k.seen[w] = true
		default:
			return k.seen[what]
		}
	}
}

func (c *conn) tuple() flow.Tuple {
	return flow.Tuple{Src: c.client.Addr(), Dst: c.server.Addr(), SrcPort: c.client.Port(), DstPort: c.server.Port(), Proto: 6}
}

func reversed(t flow.Tuple) flow.Tuple {
	t.Src, t.Dst, t.SrcPort, t.DstPort = t.Dst, t.Src, t.DstPort, t.SrcPort
	return t
}

// playWith runs a live engine that has a conntrack. The engine is put where the
// script's steps find it.
func playWith(t *testing.T, s *script, b *artifact.Bundle, k *tracker, at **Engine, edits ...func(*Config)) (*journal, *Engine) {
	t.Helper()
	k.wishes, k.seen = make(chan string, 1000), map[string]bool{}
	j := &journal{}
	for _, l := range b.Labels {
		j.bits = append(j.bits, l.Name)
	}
	c := Config{
		Source: s, Labels: j, Recorder: j, Dissectors: dissectors(), Bundle: b, Live: true, clock: s.clock, Tracker: k,
	}
	for _, edit := range edits {
		edit(&c)
	}
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	*at = e
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return j, e
}

// TestPolicyThatComesLater: what a flow has carried before anybody asked is no
// rate, and its bytes count nevertheless.
func TestPolicyThatComesLater(t *testing.T) {
	c := liveConn("192.168.1.2:40000", "198.51.100.1:443")
	k := &tracker{}
	carried := flow.Connection{Orig: c.tuple(), Reply: reversed(c.tuple()), Mark: doneMark, Returned: flow.Counts{Packets: 9000, Bytes: 1 << 24}}
	var e *Engine
	later := reading(t, over("total_rate", 1000), over("total_bytes", 1<<20))
	s := aligned().call(c, "us04.zoom.us").do(k.lists(carried)).wait(time.Minute).do(func() {
		if err := e.Reload(later); err != nil {
			t.Error(err)
		}
	}).do(nil).until(func() bool { return k.answered(forReadings) }).idle().idle()
	j, _ := playWith(t, s, bundle(t, zoomPolicy(), policyOf{name: "x", all: []artifact.Test{portTest(1)}}), k, &e)
	if got := j.lines[len(j.lines)-1]; !strings.Contains(got, "labels=[x]") { // the second bit
		t.Errorf("got %q, want bytes and no rate", j.lines)
	}
}

// TestNobodyAsksForCounters: without a policy that needs them nothing is read.
func TestNobodyAsksForCounters(t *testing.T) {
	c := liveConn("192.168.1.2:40000", "198.51.100.1:443")
	k := &tracker{}
	var e *Engine
	s := aligned().call(c, "us04.zoom.us").do(k.lists(flow.Connection{Orig: c.tuple(), Reply: reversed(c.tuple()), Mark: doneMark})).wait(time.Minute).idle().until(func() bool { return k.answered("all") }).wait(time.Minute).idle()
	_, e = playWith(t, s, bundle(t, zoomPolicy()), k, &e)
	if got := e.Stats(); got.Readings != 0 || k.answered(forReadings) {
		t.Errorf("%d readings", got.Readings)
	}
}

func TestUnreadableConntrackIsCounted(t *testing.T) {
	var e *Engine
	k := &tracker{err: errors.New("no buffer space")}
	s := newScript().until(func() bool { return e.Stats().ReadingErrors == 1 })
	_, e = playWith(t, s, bundle(t, zoomPolicy()), k, &e)
	if got := e.Stats().ReadingErrors; got != 1 {
		t.Errorf("%d errors counted, want 1", got)
	}
}

// TestClosingFlowsAreLeft: what conntrack sees end is not decided anew.
func TestClosingFlowsAreLeft(t *testing.T) {
	c := liveConn("192.168.1.2:40000", "198.51.100.1:443")
	k := &tracker{}
	closing := flow.Connection{Orig: c.tuple(), Reply: reversed(c.tuple()), Mark: doneMark, Closing: true, Returned: flow.Counts{Packets: 9, Bytes: 1 << 30}}
	var e *Engine
	s := aligned().call(c, "us04.zoom.us").do(k.lists(closing)).wait(5 * time.Second).idle()
	s.until(func() bool { return k.answered(forReadings) }).idle().idle()
	j, _ := playWith(t, s, reading(t, over("total_rate", 1)), k, &e)
	if len(j.lines) != 1 {
		t.Errorf("got %q, want the first verdict only", j.lines)
	}
}

func TestThresholds(t *testing.T) {
	list := thresholds{10, 20}
	for _, tt := range []struct {
		from, to int
		want     bool
	}{
		{0, 0, false}, {0, 9, false}, {0, 10, true}, {10, 9, true}, {10, 19, false}, {9, 25, true}, {25, 15, true}, {20, math.MaxInt32, false},
	} {
		if got := list.passed(tt.from, tt.to); got != tt.want {
			t.Errorf("from %d to %d: %v, want %v", tt.from, tt.to, got, tt.want)
		}
	}
}

// TestWatchMissesNothing holds the watch against the program: wherever a
// reading changes the answer, the watch must say so.
func TestWatchMissesNothing(t *testing.T) {
	attributes := []string{
		"total_rate", "src_rate", "dst_rate", "local_rate", "other_rate", "total_bytes", "src_bytes", "dst_bytes", "local_bytes",
		"other_bytes", "total_packets", "src_packets", "dst_packets", "local_packets", "other_packets", "duration",
	}
	for _, name := range attributes {
		t.Run(name, func(t *testing.T) {
			b := reading(t, policyOf{name: "p", all: []artifact.Test{
				{Op: artifact.TestRange, Attribute: name, Ranges: []artifact.Range{{Low: 3, High: 5}, {Low: 8, High: 8}}},
			}})
			for _, origin := range []string{"192.168.1.2:40000", "198.51.100.9:40000"} { // local or other opens
				e, err := New(Config{Source: newScript(), Dissectors: dissectors(), Bundle: b})
				if err != nil {
					t.Fatal(err)
				}
				w := newWorker(e, 0)
				s := newScript().call(connect(origin, "192.168.9.1:443"), "us04.zoom.us")
				for s.Next(w.raw) == nil {
					w.packet()
				}
				r := w.table.At(w.table.Oldest(flow.Established))
				watchAgainstProgram(t, w, r)
			}
		})
	}
}

// watchAgainstProgram tries all steps between small values of all counters.
func watchAgainstProgram(t *testing.T, w *worker, r *flow.Record) {
	t.Helper()
	tally := w.tallies.At(r.Tally)
	state := func(n int, side int) (m measure, holds bool) {
		*tally = tallyOf(n, side, r.FirstSeen)
		var f fact.Facts
		w.load(r, &f)
		return tally.measure(r.FirstSeen), len(w.machine.Eval(&f).Policies) > 0
	}
	hits := 0
	for side := range 2 {
		for from := range 12 {
			for to := range 12 {
				before, held := state(from, side)
				after, holds := state(to, side)
				if held != holds {
					hits++
					if !w.policy.watch.changed(&before, &after) {
						t.Errorf("from %d to %d on side %d: not seen", from, to, side)
					}
				}
			}
		}
	}
	if hits == 0 {
		t.Error("no step changes the answer: the test tests nothing")
	}
}

func tallyOf(n, side int, firstSeen int64) tally {
	out := tally{readAt: firstSeen + int64(n)*int64(time.Second)}
	out.counts[side] = flow.Counts{Packets: uint64(n), Bytes: uint64(n)}
	out.rate[side] = uint64(n)
	return out
}

// TestLongGapInAFile: a pause of a year costs two readings, not millions.
func TestLongGapInAFile(t *testing.T) {
	c := connect("192.168.1.2:40000", "198.51.100.1:443")
	s := aligned().call(c, "us04.zoom.us").wait(365*24*time.Hour).tcp(c, client, "A", 30, "")
	j, e := play(t, s, reading(t, over("duration", 3600), over("src_rate", 1)), nil)
	if n := e.Stats().Readings; n != 2 {
		t.Errorf("%d readings, want 2", n)
	}
	var got []string
	for _, line := range j.lines {
		_, rest, _ := strings.Cut(line, "labels=")
		got = append(got, rest)
	}
	want := []string{
		"[]/3 mark=0x80000000/0x80000000", "[src_rate]/3 mark=0x80000000/0x80000000", "[duration]/3 mark=0x80000000/0x80000000",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTalliesAreGivenBack(t *testing.T) {
	s := newScript()
	for i := range 50 {
		c := connect("192.168.1.2:40000", "198.51.100.1:443")
		c.client = netip.AddrPortFrom(c.client.Addr(), uint16(1000+i))
		s.call(c, "us04.zoom.us")
	}
	e, err := New(Config{Source: s, Dissectors: dissectors(), Bundle: reading(t, over("total_rate", 1)), MaxFlows: 5})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorker(e, 0)
	for s.Next(w.raw) == nil {
		w.packet()
	}
	if w.tallies.Made() > 6 {
		t.Errorf("%d tallies made for 5 flows at a time", w.tallies.Made())
	}
}

// TestNameUpdated: the name that a flow has first may become another one.
func TestNameUpdated(t *testing.T) {
	updated := policyOf{name: "updated", all: []artifact.Test{{Op: artifact.TestFlag, Attribute: "detection_updated"}}}
	c := connect("192.168.1.2:40000", "198.51.100.1:443")
	got := known(t, newScript().call(c, "us04.zoom.us"), bundle(t, updated), nil)
	if v, ok := got["detection_updated"]; ok {
		t.Errorf("detection_updated is %s for a name that never changed", v)
	}
	// Two DNS answers name the server's address one way and then another; a
	// reload in between has the flow named anew.
	dns := connect("192.168.1.2:5353", "192.168.1.1:53")
	bare := connect("192.168.1.2:40000", "198.51.100.7:9000")
	b := bundle(t, updated, zoomPolicy())
	s := newScript().udp(dns, client, "q").udp(dns, server, "us04.zoom.us 198.51.100.7").tcp(bare, client, "A", 0, "???").
		udp(dns, server, "www.skype.com 198.51.100.7")
	var e *Engine
	s.do(func() {
		if err := e.Reload(b); err != nil {
			t.Error(err)
		}
	}).do(nil).do(nil)
	j := &journal{bits: []string{"updated", "zoom"}}
	e, err := New(Config{Source: s, Labels: j, Dissectors: dissectors(), Bundle: b, Live: true, clock: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(j.lines, "\n"), ">198.51.100.7:9000 labels=[updated]") {
		t.Errorf("got %q, want the flow updated", j.lines)
	}
}
