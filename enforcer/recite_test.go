package enforcer

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// listeners takes records for sinks, and puts together what each of them knows of flows by what it
// was told, as who reads them would.
type listeners struct {
	t      *testing.T
	sinks  []artifact.Sink
	refuse func(sink, kind string) bool // nil for never
	losses uint64
	known  map[string]map[string]any // by sink and digest
	log    []string
}

func newListeners(t *testing.T) *listeners {
	return &listeners{t: t, known: map[string]map[string]any{}}
}

func (o *listeners) Use(sinks []artifact.Sink) { o.sinks = sinks }

func (o *listeners) Losses(int) uint64 { return o.losses }

// members are the names of those members of a flow that are left out together.
func members(once string) (names []string) {
	detail := reflect.TypeFor[record.Detail]()
	for i := range detail.NumField() {
		f := detail.Field(i)
		if f.Tag.Get("once") == once && once != "" || f.Tag.Get("facts") != "" && once == "" {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			names = append(names, name)
		}
	}
	return names
}

func (o *listeners) Offer(i int, r record.Record) (taken bool) {
	name, line := o.sinks[i].Name, r.AppendJSON(nil)
	if o.refuse != nil && o.refuse(name, r.Kind().String()) {
		o.log = append(o.log, name+" drops "+r.Kind().String())
		return false
	}
	valid(o.t, string(line))
	var v struct{ Flow map[string]any }
	if err := json.Unmarshal(line, &v); err != nil {
		o.t.Fatal(err)
	}
	key := name + " " + fmt.Sprint(v.Flow["digest"])
	text := name + " " + r.Kind().String()
	for _, group := range []struct{ once, first, word string }{{"Tuple", "first_seen_at", "tuple"}, {"", "category", "facts"}} {
		if _, ok := v.Flow[group.first]; ok {
			text += " " + group.word
			continue
		}
		for _, m := range members(group.once) {
			if had, ok := o.known[key][m]; ok {
				v.Flow[m] = had
			}
		}
	}
	o.known[key] = v.Flow
	o.log = append(o.log, text)
	return true
}

// onceBeside is a bundle with a sink that is told details once, beside one that is told them always.
func onceBeside(t *testing.T, once artifact.Sink) *artifact.Bundle {
	once.Name, once.Details = "once", artifact.DetailsOnce
	return withSinks(bundle(t, zoomPolicy()), artifact.Sink{Name: "always", Records: once.Records}, once)
}

// TestDetailsOnce says what a sink with details = "once" is told of a call again, and that it knows
// as much at its end as one that is told all each time.
func TestDetailsOnce(t *testing.T) {
	changes := []string{"flow", "flow_update", "flow_end"}
	for _, test := range []struct {
		name    string
		records []string
		when    artifact.Test // of the sink; zero for none
		refuse  func(sink, kind string) bool
		lost    bool // after the first record
		want    []string
	}{
		{name: "told", records: changes, want: []string{"once flow tuple facts", "once flow_end"}},
		{name: "flow is not asked for", records: []string{"flow_update", "flow_end"}, want: []string{"once flow_end tuple facts"}},
		{
			name: "no room", records: changes, refuse: func(sink, kind string) bool { return sink == "once" && kind == "flow" },
			want: []string{"once drops flow", "once flow_end tuple facts"},
		},
		{
			name: "no room for another", records: changes, refuse: func(sink, kind string) bool { return sink == "always" && kind == "flow" },
			want: []string{"once flow tuple facts", "once flow_end"},
		},
		{
			name: "condition met late", records: changes, when: artifact.Test{Op: artifact.TestRange, Attribute: "total_packets", Ranges: []artifact.Range{{Low: 5, High: 1 << 30}}},
			want: []string{"once flow_end tuple facts"},
		},
		{name: "lost", records: changes, lost: true, want: []string{"once flow tuple facts", "once flow_end tuple facts"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := connect("192.168.1.2:40000", "198.51.100.1:443")
			o := newListeners(t)
			o.refuse = test.refuse
			s := newScript().call(a, "us04.zoom.us").do(func() {
				if test.lost {
					o.losses++
				}
			}).wait(time.Second).tcp(a, server, "A", 0, "x").tcp(a, client, "FA", 30, "").tcp(a, server, "FA", 1, "")
			b := onceBeside(t, artifact.Sink{Records: test.records})
			if test.when.Op != "" {
				b.Sinks[1].When = "as the test says"
				b.SinkProgram = artifact.Program{
					Engine: artifact.Engine, Tests: []artifact.Test{test.when}, Reads: []string{test.when.Attribute},
					Clauses: []artifact.Clause{{Policy: 1, Access: artifact.NoAccess, If: []artifact.Literal{0}}}, Effects: make([]artifact.Effect, 2),
				}
			}
			play(t, s, b, func(c *Config) { c.Outlets = o })
			o.expect(test.want)
		})
	}
}

// expect holds what the sink "once" was told against what it should have been, and what it knows
// against what the sink "always" does.
func (o *listeners) expect(want []string) {
	o.t.Helper()
	var got []string
	for _, line := range o.log {
		if strings.HasPrefix(line, "once ") {
			got = append(got, line)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		o.t.Errorf("told, -want +got:\n%s", diff)
	}
	flows := 0
	for key, all := range o.known {
		digest, ok := strings.CutPrefix(key, "always ")
		if !ok {
			continue
		}
		flows++
		if diff := cmp.Diff(all, o.known["once "+digest]); diff != "" {
			o.t.Errorf("known, -always +once:\n%s", diff)
		}
	}
	if flows == 0 {
		o.t.Error("no flow is known")
	}
}

// TestDetailsChange: what has become another is told again, and nothing else.
func TestDetailsChange(t *testing.T) {
	a := liveConn("192.168.1.2:40000", "198.51.100.1:443")
	o := newListeners(t)
	b := onceBeside(t, artifact.Sink{Records: []string{"flow", "flow_update", "flow_end"}})
	after := onceBeside(t, artifact.Sink{Records: []string{"flow", "flow_update", "flow_end"}})
	after.Policies[0].Labels, after.Program.Effects[0].Labels = nil, nil
	var e *Engine
	s := newScript().call(a, "us04.zoom.us")
	natted := *a
	natted.macs[server] = [6]byte{2, 0, 0, 0, 0, 9} // a MAC address that nobody has shown before
	s.tcp(&natted, server, "A", 0, "x").wait(time.Second).do(func() {
		if err := e.Reload(after); err != nil {
			t.Error(err)
		}
	}).do(nil).do(nil)
	e, err := New(Config{Source: s, Labels: &journal{bits: []string{"zoom"}}, Dissectors: dissectors(), Bundle: b, Live: true, clock: s.clock, Outlets: o})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.expect([]string{"once flow tuple facts", "once flow_update tuple facts", "once flow_end"})
}

// TestTupleChanges says that all that headers add to a flow is told apart.
func TestTupleChanges(t *testing.T) {
	_, w := crowded(t, recorded(t), 16)
	r := &flow.Record{}
	seen := map[uint64]bool{w.tupleOf(r): true}
	for what, change := range map[string]func(*traits){
		"a MAC address": func(t *traits) { t.mac[1] = 1 }, "the other MAC address": func(t *traits) { t.mac[0] = 1 },
		"the interface": func(t *traits) { t.iface = 1 }, "the code point": func(t *traits) { t.dscp = 1 },
	} {
		kept := *w.traitsOf(r)
		change(&kept)
		other := *r
		w.setTraits(&other, &kept)
		if tuple := w.tupleOf(&other); seen[tuple] {
			t.Errorf("%s does not tell", what)
		} else {
			seen[tuple] = true
		}
	}
	for _, flag := range []flow.Flags{flow.ClientIsB, flow.Translated} {
		other := *r
		other.Set(flag)
		if tuple := w.tupleOf(&other); seen[tuple] {
			t.Errorf("flag %b does not tell", flag)
		} else {
			seen[tuple] = true
		}
	}
}

// TestTellingAllocatesNothing holds for records of flows that have been told of, whichever way they go to
// a sink, and for records of endpoints that stay.
func TestTellingAllocatesNothing(t *testing.T) {
	for _, details := range []artifact.Details{artifact.DetailsAlways, artifact.DetailsOnce} {
		b := bundle(t, zoomPolicy())
		b.Sinks = []artifact.Sink{{Name: "all", Kind: artifact.SinkStdout, Records: every, Interval: time.Second, Details: details}}
		c, w := crowded(t, b, 1<<12)
		c.play(t, w, c.opened(0, 500, crowdHello))
		var flows []*flow.Record
		w.table.Each(func(id flow.ID, r *flow.Record) bool {
			w.endpoints.add(1, endpointAt(r, 0))
			flows = append(flows, r)
			return true
		})
		w.macs.of([6]byte{2, 0, 0, 0, 0, 1})
		w.tour.on = []int{0}
		records := w.stats.Records
		tell := func() {
			for _, r := range flows {
				r.LastSeen++ // since the last walk
				w.load(r, &w.facts)
				w.tellFlow(record.KindFlowUpdate, r, &w.facts, nil)
				w.tellStats(r)
				w.tellEnd(r, record.ReasonExpired, false)
			}
			if len(w.listEndpoints()) != 1 {
				t.Fatal("no endpoints")
			}
		}
		if n := testing.AllocsPerRun(10, tell); n != 0 {
			t.Errorf("details %q: got %v allocations for %d records, want 0", details, n, 3*len(flows))
		}
		if told := w.stats.Records - records; len(flows) != 500 || told != 11*3*500 { // one run is not measured
			t.Errorf("details %q: got %d records of %d flows", details, told, len(flows))
		}
	}
}

// TestChangedDetailsAreToldAgain says that each group of details is told again when it has become
// another, and by itself.
func TestChangedDetailsAreToldAgain(t *testing.T) {
	c, o := newCrowd("us04.zoom.us"), newListeners(t)
	e, err := New(Config{Source: c, Outlets: o, Dissectors: dissectors(), Bundle: onceBeside(t, artifact.Sink{Records: []string{"flow", "flow_update", "flow_end"}})})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorker(e, 0)
	c.play(t, w, c.opened(0, 1, crowdHello))
	var r *flow.Record
	w.table.Each(func(_ flow.ID, one *flow.Record) bool {
		r = one
		return false
	})
	update := func(change func()) {
		w.load(r, &w.facts)
		change()
		w.keep(r, &w.facts)
		w.load(r, &w.facts)
		w.tellFlow(record.KindFlowUpdate, r, &w.facts, nil)
	}
	update(func() {
		w.facts.JA4S = "t120300_c030_09f674154ab3"
		w.keep(r, &w.facts)
		w.facts.JA4S = "t130200_1301_234ea6891581" // stands where what was told did
	})
	update(func() { w.facts.JA4S = "" }) // it was not told that there is none
	update(func() {
		kept := *w.traitsOf(r)
		kept.mac[1] = w.macs.of([6]byte{2, 0, 0, 0, 0, 9})
		w.setTraits(r, &kept)
	})
	update(func() {})
	w.tellEnd(r, record.ReasonExpired, false)
	o.expect([]string{
		"once flow tuple facts", "once flow_update facts", "once flow_update facts", "once flow_update tuple", "once flow_update", "once flow_end",
	})
}
