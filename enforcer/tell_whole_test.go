package enforcer

import (
	"context"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// wholes takes the details that come with flow_stats.
type wholes struct {
	sinks []artifact.Sink
	list  map[string][]*record.Detail
}

func (o *wholes) Use(sinks []artifact.Sink) { o.sinks = sinks }

func (o *wholes) Offer(i int, r record.Record) (taken bool) {
	if s, ok := r.(*record.FlowStats); ok {
		d := s.Whole
		if d != nil {
			d = new(*d)
		}
		o.list[o.sinks[i].Name] = append(o.list[o.sinks[i].Name], d)
	}
	return true
}

func (*wholes) Losses(int) uint64 { return 0 }

// TestStatisticsForCollectors says that a sink of IPFIX gets all that is known of a
// flow with what it has carried, and that without one nobody makes it.
func TestStatisticsForCollectors(t *testing.T) {
	for _, kind := range []artifact.SinkKind{artifact.SinkIPFIX, artifact.SinkFile} {
		a := connect("192.168.1.2:40000", "198.51.100.1:443")
		s := aligned().call(a, "us04.zoom.us").wait(30*time.Second).download(a, 10).wait(65*time.Second).tcp(a, client, "A", 0, "")
		o := &wholes{list: map[string][]*record.Detail{}}
		play(t, s, withSinks(bundle(t, zoomPolicy()), artifact.Sink{Name: "all", Kind: kind, Records: []string{"flow_stats", "flow_end"}, Interval: time.Minute}), func(c *Config) { c.Outlets = o })
		if len(o.list["all"]) == 0 {
			t.Fatal("nothing is told at intervals")
		}
		d := o.list["all"][0]
		switch {
		case kind == artifact.SinkFile:
			if d != nil {
				t.Errorf("a file is given %+v", d)
			}
		case d == nil || d.ApplicationName != "zoom" || d.LocalPort != 40000 || len(d.Policies) != 1 || len(d.Labels) != 1:
			t.Errorf("got %+v", d)
		}
	}
}

// earliers takes what records of flows say was carried before.
type earliers struct{ list []record.Counters }

func (*earliers) Use([]artifact.Sink) {}

func (o *earliers) Offer(_ int, r record.Record) (taken bool) {
	if end, ok := r.(*record.FlowEnd); ok {
		o.list = append(o.list, end.Flow.Counters)
	}
	return true
}

func (*earliers) Losses(int) uint64 { return 0 }

// TestAdoptedSayWhatCameBefore: what a connection had carried when it was found is told
// apart, for an earlier process has told of it.
func TestAdoptedSayWhatCameBefore(t *testing.T) {
	k := &tracker{list: []flow.Connection{old("192.168.1.2:40000", "198.51.100.1:443", doneMark, 500, 3)}}
	b := withSinks(bundle(t, zoomPolicy()), artifact.Sink{Name: "all", Records: []string{"flow_end"}})
	o := &earliers{}
	k.wishes, k.seen = make(chan string, 1000), map[string]bool{}
	var e *Engine
	s := newScript().until(func() bool { return e.Stats().Adopted == 1 })
	j := &journal{bits: []string{"zoom"}}
	e, err := New(Config{Source: s, Labels: j, Recorder: j, Dissectors: dissectors(), Bundle: b, Live: true, clock: s.clock, Tracker: k, Outlets: o})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(o.list) != 1 || o.list[0].TotalPackets == 0 || o.list[0].Earlier.LocalPackets != o.list[0].LocalPackets || o.list[0].Earlier.OtherBytes != o.list[0].OtherBytes {
		t.Errorf("got %+v", o.list)
	}
}
