package enforcer

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
)

// sums are the aggregates that a sink was told, in short: the interval in seconds
// since the first, and each row with its bytes and flows.
func (o *outlet) sums(t *testing.T) (list []string) {
	t.Helper()
	first := int64(0)
	for _, line := range o.lines {
		_, body, _ := strings.Cut(line, " ")
		valid(t, body)
		var r struct {
			Type       string
			Aggregate  string
			Start      int64 `json:"interval_start_at"`
			End        int64 `json:"interval_end_at"`
			Rows       []map[string]any
			Total      map[string]int
			Exact      bool
			ErrorBytes int `json:"error_bytes"`
		}
		if err := json.Unmarshal([]byte(body), &r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if r.Type != "aggregate" {
			continue
		}
		if first == 0 {
			first = r.Start / 1000 * 1000
		}
		text := fmt.Sprintf("%s %d-%d:", r.Aggregate, (r.Start-first)/1000, (r.End-first)/1000)
		for _, row := range r.Rows {
			var key []string
			for _, name := range []string{"detected_application_name", "local_ip", "policy"} {
				if v, ok := row[name]; ok {
					key = append(key, v.(string))
				}
			}
			text += fmt.Sprintf(" %s %v+%v/%v", strings.Join(key, ","), row["local_bytes"], row["other_bytes"], row["flow_count"])
		}
		list = append(list, text)
	}
	return list
}

// aggregated is a bundle with a sink and aggregates that go there.
func aggregated(t *testing.T, list ...artifact.Aggregate) *artifact.Bundle {
	b := withSinks(bundle(t, zoomPolicy()), artifact.Sink{Name: "all", Records: []string{"aggregate"}})
	for _, a := range list {
		a.Sinks, a.Top, a.Keys = []int{0}, 10, max(a.Keys, 1)
		b.Aggregates = append(b.Aggregates, a)
	}
	return b
}

// TestAggregates plays two calls: each interval has what came in it, each byte is in
// one, and a flow counts once in an interval.
func TestAggregates(t *testing.T) {
	a, b := connect("192.168.1.2:40000", "198.51.100.1:443"), connect("192.168.1.3:40001", "198.51.100.2:443")
	s := newScript()
	s.now = s.now.Truncate(time.Minute)
	s.played = s.now.UnixNano()
	s.call(a, "us04.zoom.us").call(b, "x.example").download(a, 10).wait(9*time.Second).download(a, 5).
		wait(3*time.Second).download(b, 2).tcp(a, client, "FA", 0, "").tcp(a, server, "FA", 0, "").
		wait(40*time.Second).download(b, 1)
	o := &outlet{}
	bundled := aggregated(t,
		artifact.Aggregate{Name: "apps", By: []string{"application", "policy"}, Interval: 10 * time.Second, Keys: 10},
		artifact.Aggregate{Name: "hosts", By: []string{"local_ip"}, Interval: 30 * time.Second, Keys: 10},
		artifact.Aggregate{Name: "zoom", By: []string{"local_ip"}, Interval: time.Minute, Keys: 10, When: "app == 'zoom'"})
	bundled.SinkProgram = artifact.Program{
		Engine: artifact.Engine, Tests: []artifact.Test{textTest("application", "zoom")},
		Clauses: []artifact.Clause{{Policy: 3, Access: artifact.NoAccess, If: []artifact.Literal{0}}},
		Effects: make([]artifact.Effect, 4),
	}
	_, e := play(t, s, bundled, func(c *Config) { c.Outlets = o })
	want := []string{
		"apps 0-10: zoom,zoom 139+15040/1  136+40/1",
		"apps 10-20:  0+2000/1 zoom,zoom 40+40/1",
		"hosts 0-30: 192.168.1.2 179+15080/1 192.168.1.3 136+2040/1",
		"apps 50-52:  0+1000/1",
		"hosts 30-52: 192.168.1.3 0+1000/1",
		"zoom 0-52: 192.168.1.2 179+15080/1",
	}
	if diff := cmp.Diff(want, o.sums(t)); diff != "" {
		t.Errorf("-want +got:\n%s\n%s", diff, strings.Join(o.lines, "\n"))
	}
	if n := e.Stats().KeysShed; n != 0 {
		t.Errorf("%d keys made room", n)
	}
}

// TestFewKeys counts the keys that make room for others, and says in the record that
// it is no exact one.
func TestFewKeys(t *testing.T) {
	s := aligned()
	for i := range 5 {
		s.call(connect(fmt.Sprintf("192.168.1.%d:40000", 2+i), "198.51.100.1:443"), "us04.zoom.us")
	}
	o := &outlet{}
	_, e := play(t, s, aggregated(t, artifact.Aggregate{Name: "hosts", By: []string{"local_ip"}, Interval: time.Minute, Keys: 2}), func(c *Config) { c.Outlets = o })
	if n := e.Stats().KeysShed; n != 3 {
		t.Errorf("%d keys made room, want 3", n)
	}
	if len(o.lines) != 1 || !strings.Contains(o.lines[0], `"exact":false`) || !strings.Contains(o.lines[0], `"flow_count":5}}`) {
		t.Errorf("got %s", o.lines)
	}
}

// TestOwed says what of a flow's figures is still to be charged: nothing twice, also
// where a list of conntrack is older than what was seen.
func TestOwed(t *testing.T) {
	y := &tally{}
	for i, step := range []struct{ counts, want uint64 }{{100, 100}, {100, 0}, {250, 150}, {240, 0}, {260, 10}} {
		y.counts[0] = flow.Counts{Packets: step.counts / 10, Bytes: step.counts}
		if got := y.owed(); got[0].Bytes != step.want || got[0].Packets != step.want/10 {
			t.Errorf("step %d: got %+v, want %d bytes", i, got, step.want)
		}
	}
	y.start(1)
	if got := y.owed(); got != ([2]flow.Counts{}) {
		t.Errorf("of a flow from before: got %+v", got)
	}
}

// TestIntervalsFollowTheWallClock has the wall clock be set, as that of a router is that has none of its own
// and hears of the time later: intervals end at whole ones of it again from the next one on.
func TestIntervalsFollowTheWallClock(t *testing.T) {
	for _, set := range []time.Duration{3 * time.Second, 7 * time.Second, -4 * time.Second, 56*365*24*time.Hour + 1234*time.Millisecond, -time.Hour - 9999*time.Millisecond} {
		c := liveConn("192.168.1.2:40000", "198.51.100.1:443")
		o := &outlet{}
		s := aligned().call(c, "us04.zoom.us").wait(time.Second).setClock(set)
		for range 45 {
			s.wait(time.Second).tcp(c, server, "A", 0, "x").idle()
		}
		b := aggregated(t, artifact.Aggregate{Name: "hosts", By: []string{"local_ip"}, Interval: 10 * time.Second, Keys: 2})
		play(t, s, b, func(c *Config) { live(c); c.Outlets = o })
		var ends []int64
		for _, line := range o.lines {
			_, body, _ := strings.Cut(line, " ")
			var r struct {
				Start int64 `json:"interval_start_at"`
				End   int64 `json:"interval_end_at"`
			}
			if err := json.Unmarshal([]byte(body), &r); err != nil {
				t.Fatal(err)
			}
			if n := len(ends); n > 0 && r.Start != ends[n-1] {
				t.Errorf("set by %v: from %d on, after one that ends at %d", set, r.Start, ends[n-1])
			}
			ends = append(ends, r.End)
		}
		if len(ends) < 4 {
			t.Fatalf("set by %v: %d intervals", set, len(ends))
		}
		for _, end := range ends[1 : len(ends)-1] {
			if end%10_000 != 0 {
				t.Errorf("set by %v: intervals end at %v", set, ends)
				break
			}
		}
	}
}

// TestLedgerOfSomeWorkers: a bundle that not every worker has gone by, because the next came at once, loses nothing of what
// the others charged.
func TestLedgerOfSomeWorkers(t *testing.T) {
	s, o := newScript(), &outlet{}
	b := aggregated(t, artifact.Aggregate{Name: "hosts", By: []string{"local_ip"}, Interval: time.Hour, Keys: 2})
	e, err := New(Config{
		Source: s, Outlets: o, Dissectors: dissectors(), Bundle: b, Live: true, clock: s.clock,
		Lanes: []Lane{{Source: newScript()}}, LaneOf: func(*flow.Connection) int { return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Use(b.Sinks)
	w := newWorker(e, 0)
	w.between()
	s.call(liveConn("192.168.1.2:40000", "198.51.100.1:443"), "us04.zoom.us")
	for s.Next(w.raw) == nil {
		w.packet()
	}
	if err := e.Reload(aggregated(t, artifact.Aggregate{Name: "others", By: []string{"local_ip"}, Interval: time.Hour, Keys: 2})); err != nil {
		t.Fatal(err)
	}
	w.between()
	w.finish()
	if len(o.lines) == 0 || !strings.Contains(o.lines[0], `"hosts"`) {
		t.Errorf("got %q, want a record of hosts", o.lines)
	}
}
