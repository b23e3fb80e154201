package enforcer

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry"
)

// old is a connection that conntrack has known for long.
func old(client, server string, mark uint32, packets uint64, labels byte) flow.Connection {
	c := connect(client, server)
	return flow.Connection{
		Orig: c.tuple(), Reply: reversed(c.tuple()), Mark: mark, HasLabels: labels != 0, Labels: [16]byte{labels},
		Sent: flow.Counts{Packets: packets, Bytes: 100 * packets}, Returned: flow.Counts{Packets: 1, Bytes: 100},
	}
}

func TestAdoption(t *testing.T) {
	ssh := policyOf{name: "port22", all: []artifact.Test{portTest(22)}}
	const at = "192.168.1.2:40000"
	for _, tt := range []struct {
		name    string
		in      flow.Connection
		want    []string // writes
		adopted uint64
	}{
		{
			"decided by an earlier process, and left alone", old(at, "198.51.100.1:443", doneMark, 500, 1),
			nil, 1,
		},
		{
			"past its packets: named by its network", old(at, "203.0.113.9:8801", 0, 500, 0),
			[]string{"tcp " + at + ">203.0.113.9:8801 labels=[zoom]/3 mark=0x80000000/0x80000000"},
			1,
		},
		{
			"past its packets: named by its port", old(at, "198.51.100.1:22", 0, 500, 0),
			[]string{"tcp " + at + ">198.51.100.1:22 labels=[port22]/3 mark=0x80000000/0x80000000"},
			1,
		},
		{
			"past its packets, and nothing known", old(at, "198.51.100.1:443", 0, 500, 0),
			[]string{"tcp " + at + ">198.51.100.1:443 labels=[]/3 mark=0x80000000/0x80000000"},
			1,
		},
		{
			"decided under other policies: what headers say is put right", old(at, "198.51.100.1:22", doneMark, 500, 1),
			[]string{"tcp " + at + ">198.51.100.1:22 labels=[zoom port22]/2 mark=0x80000000/0x80000000"},
			1,
		},
		{"young: its next packets show it", old(at, "198.51.100.1:22", 0, 3, 0), nil, 0},
		{"nothing is counted", func() flow.Connection {
			c := old(at, "198.51.100.1:22", 0, 0, 0)
			c.Returned = flow.Counts{}
			return c
		}(), nil, 0},
		{"over", func() flow.Connection {
			c := old(at, "198.51.100.1:22", 0, 500, 0)
			c.Closing = true
			return c
		}(), nil, 0},
		{"DNS, whose answers are shown", func() flow.Connection {
			c := old(at, "198.51.100.1:53", doneMark, 500, 1)
			c.Orig.Proto, c.Reply.Proto = 17, 17
			return c
		}(), nil, 0},
		{"the router's own talk to itself", old("127.0.0.1:40000", "127.0.0.1:22", 0, 500, 0), nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := &tracker{list: []flow.Connection{tt.in}}
			var e *Engine
			s := newScript().until(func() bool { return k.answered("all") }).idle().idle()
			j, e := playWith(t, s, bundle(t, zoomPolicy(), ssh), k, &e)
			if diff := cmp.Diff(tt.want, j.lines); diff != "" {
				t.Errorf("writes, -want +got:\n%s", diff)
			}
			if got := e.Stats().Adopted; got != tt.adopted {
				t.Errorf("%d adopted, want %d", got, tt.adopted)
			}
		})
	}
}

// TestAdoptionIsTriedAgain: a list that could not be read to its end is made once more, an interval later.
func TestAdoptionIsTriedAgain(t *testing.T) {
	k := &tracker{list: []flow.Connection{old("192.168.1.2:40000", "198.51.100.1:443", doneMark, 500, 1)}, err: errors.New("no buffer space")}
	mended := k.list
	k.list = nil
	var e *Engine
	s := newScript().until(func() bool { return e.Stats().ReadingErrors == 1 }).do(func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.list, k.err = mended, nil
	}).wait(time.Minute).idle().until(func() bool { return e.Stats().Adopted == 1 })
	s.patience = time.Now().Add(5 * time.Second)
	_, e = playWith(t, s, bundle(t, zoomPolicy()), k, &e)
	if got := e.Stats(); got.Adopted != 1 || got.ReadingErrors != 1 {
		t.Errorf("%d adopted after %d errors, want one each", got.Adopted, got.ReadingErrors)
	}
}

// TestAdoptedKeepLabels: a new bundle clears what it does not own of a flow
// whose name an earlier process found, and keeps the rest.
func TestAdoptedKeepLabels(t *testing.T) {
	const at = "192.168.1.2:40000"
	k := &tracker{list: []flow.Connection{old(at, "198.51.100.1:443", doneMark|0x10, 500, 3)}}
	ssh := policyOf{name: "port443", all: []artifact.Test{portTest(443)}}
	marked := policyOf{name: "marked", all: []artifact.Test{textTest("application", "zoom")}, mark: &artifact.Mark{Value: 0x10, Mask: 0xf0}}
	before, after := bundle(t, zoomPolicy(), marked), bundle(t, zoomPolicy(), marked, ssh)
	after.Labels = after.Labels[1:]
	after.Policies[0].Labels, after.Program.Effects[0].Labels = nil, nil
	var e *Engine
	var rows []string
	s := newScript().until(func() bool { return e.Stats().Adopted == 1 }).do(func() {
		if err := e.Reload(after); err != nil {
			t.Error(err)
		}
	}).do(nil).do(nil)
	j, e := playWith(t, s, before, k, &e)
	for _, f := range j.flows {
		rows = append(rows, f.Application+" "+strings.Join(f.Labels, ","))
	}
	// Bit 1 and the mark are outside the masks, bit 0 is not the bundle's any more,
	// bit 2 follows from the headers.
	const connection = "tcp " + at + ">198.51.100.1:443 labels=[marked]/"
	want := []string{connection + "5 mark=0x80000010/0x80000000"}
	// The walk after the reload, if it is done before the script ends, finds in
	// the list, which stays as it was, a bit to set again.
	if len(j.lines) > 1 {
		want = append(want, connection+"4 mark=0x80000010/0x80000000")
	}
	if diff := cmp.Diff(want, j.lines); diff != "" {
		t.Errorf("writes, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{" marked,port443"}, rows); diff != "" {
		t.Errorf("records, -want +got:\n%s", diff)
	}
}

// TestAdoptedTranslation: replies of a translated connection find their flow.
func TestAdoptedTranslation(t *testing.T) {
	c := old("192.168.1.2:40000", "198.51.100.1:443", doneMark, 500, 1)
	c.Reply.Dst, c.Reply.DstPort, c.ID = netip.MustParseAddr("203.0.113.1"), 61000, 77
	k := &tracker{list: []flow.Connection{c}}
	var e *Engine
	var found [2]bool
	var nat bool
	s := newScript().until(func() bool { return e.Stats().Adopted == 1 })
	answered := make(chan struct{})
	s.do(func() {
		go func() {
			defer close(answered)
			for i, tuple := range []flow.Tuple{c.Orig, c.Reply} {
				why, ok := e.Why(tuple)
				found[i] = ok
				for _, ev := range why.Evidence {
					nat = nat || ev.Attribute == "ip_nat"
				}
			}
		}()
	})
	s.until(func() bool {
		select {
		case <-answered:
			return true
		default:
			return false
		}
	})
	o := &outlet{}
	b := withSinks(bundle(t, zoomPolicy()), artifact.Sink{Name: "all", Records: []string{"flow_end"}})
	playWith(t, s, b, k, &e, func(c *Config) { c.Outlets = o })
	const entry = `"conntrack":{"id":77,"mark":0,"reply_src_ip":"198.51.100.1","reply_src_port":443,"reply_dst_ip":"203.0.113.1","reply_dst_port":61000}`
	if len(o.lines) != 1 || !strings.Contains(o.lines[0], entry) {
		t.Errorf("got %q, want %s", o.lines, entry)
	}
	if !found[0] || !found[1] || !nat {
		t.Errorf("found by both tuples: %v, translated: %v", found, nat)
	}
}

// TestAdoptionFillsOnlyTheRoomThereIs: what is seen now is worth more.
func TestAdoptionFillsOnlyTheRoomThereIs(t *testing.T) {
	k := &tracker{}
	for port := range 600 {
		c := old("192.168.1.2:40000", "198.51.100.1:443", doneMark, 500, 1)
		c.Orig.SrcPort, c.Reply.DstPort = uint16(port+1), uint16(port+1)
		k.list = append(k.list, c)
	}
	var e *Engine
	s := newScript().until(func() bool { return e.Stats().Adopted == DefaultMaxFlows || k.answered("all") }).idle().idle().idle()
	_, e = playWith(t, s, bundle(t, zoomPolicy()), k, &e)
	if got := e.Stats(); got.Adopted != 600 || got.FlowsEvicted != 0 {
		t.Errorf("%d adopted, %d pushed out, want 600 and 0", got.Adopted, got.FlowsEvicted)
	}
	w := newWorker(e, 0)
	w.config = &Config{Live: true, Recorder: &journal{}, clock: e.config.clock}
	w.table.Bound(10)
	for i := range k.list {
		w.adopt(&k.list[i], w.clock.now)
	}
	if w.stats.Adopted != 10 || w.stats.FlowsEvicted != 0 {
		t.Errorf("%d adopted into a table of 10, %d pushed out", w.stats.Adopted, w.stats.FlowsEvicted)
	}
}

// TestAdoptedCountersBeginThen: what an adopted flow carried before is no rate.
func TestAdoptedCountersBeginThen(t *testing.T) {
	c := old("192.168.1.2:40000", "198.51.100.1:443", doneMark, 1_000_000, 0)
	k := &tracker{list: []flow.Connection{c}}
	var e *Engine
	s := aligned().until(func() bool { return e.Stats().Adopted == 1 }).wait(5 * time.Second).idle().
		until(func() bool { return k.answered(forReadings) }).idle().idle()
	j, _ := playWith(t, s, reading(t, over("total_rate", 1), over("total_bytes", 1000)), k, &e)
	i := slices.IndexFunc(j.flows, func(f telemetry.Flow) bool { return f.Bytes == 100_000_100 })
	if i < 0 {
		t.Errorf("got records %+v, want conntrack's bytes", j.flows)
	}
	for _, line := range j.lines {
		if strings.Contains(line, "total_rate") {
			t.Errorf("a rate of what came before: %s", line)
		}
	}
}

// TestYoungConnectionsAreNotChargedTwice has an engine begin beside a connection that is not
// decided yet: what it had carried before was an earlier process's to charge, and makes no rate.
func TestYoungConnectionsAreNotChargedTwice(t *testing.T) {
	c := liveConn("192.168.1.2:40000", "198.51.100.1:443")
	young := flow.Connection{
		ID: 7, Orig: c.tuple(), Reply: reversed(c.tuple()),
		Sent: flow.Counts{Packets: 60, Bytes: 6000}, Returned: flow.Counts{Packets: 50, Bytes: 50_000},
	}
	later := young
	later.Mark, later.Sent, later.Returned = doneMark, flow.Counts{Packets: 63, Bytes: 6200}, flow.Counts{Packets: 51, Bytes: 50_040}
	k := &tracker{list: []flow.Connection{young}}
	o := &outlet{}
	var e *Engine
	s := aligned().until(func() bool { return k.answered("all") }).idle().idle().
		call(c, "us04.zoom.us").do(k.lists(later)).wait(5 * time.Second).idle().
		until(func() bool { return k.answered(forReadings) }).idle().idle()
	b := aggregated(t, artifact.Aggregate{Name: "hosts", By: []string{"local_ip"}, Interval: time.Hour, Keys: 2})
	playWith(t, s, b, k, &e, func(c *Config) { c.Outlets = o })
	if diff := cmp.Diff([]string{"hosts 0-5: 192.168.1.2 200+40/1"}, o.sums(t)); diff != "" {
		t.Errorf("-want +got:\n%s\n%s", diff, strings.Join(o.lines, "\n"))
	}
}
