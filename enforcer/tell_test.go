package enforcer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// outlet takes records as lines of JSON, each with its sink's name before it.
type outlet struct {
	sinks []artifact.Sink
	lines []string
}

func (o *outlet) Use(sinks []artifact.Sink) { o.sinks = sinks }

func (o *outlet) Offer(i int, r record.Record) (taken bool) {
	o.lines = append(o.lines, o.sinks[i].Name+" "+string(r.AppendJSON(nil)))
	return true
}

func (*outlet) Losses(int) uint64 { return 0 }

// told is what a sink was told, in short: kind, application, and what differs
// from kind to kind.
func (o *outlet) told(t *testing.T) (list []string) {
	t.Helper()
	for _, line := range o.lines {
		sink, body, _ := strings.Cut(line, " ")
		var r struct {
			Type   string
			Reason string
			Policy struct {
				Name     string
				Evidence []struct{ Attribute, Value string }
			}
			Flow struct {
				App          string `json:"detected_application_name"`
				LocalPackets int    `json:"local_packets"`
				OtherBytes   int    `json:"other_bytes"`
				OtherRate    int    `json:"other_rate"`
				Labels       []string
			}
		}
		if err := json.Unmarshal([]byte(body), &r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		text := sink + " " + r.Type + " " + r.Flow.App
		switch r.Type {
		case "flow_end":
			text += fmt.Sprintf(" %s %d/%d", r.Reason, r.Flow.LocalPackets, r.Flow.OtherBytes)
		case "flow_stats":
			text += fmt.Sprintf(" %d/%d %d B/s", r.Flow.LocalPackets, r.Flow.OtherBytes, r.Flow.OtherRate)
		case "policy_match":
			text += fmt.Sprintf(" %s %v", r.Policy.Name, r.Policy.Evidence)
		case "flow", "flow_update":
			text += fmt.Sprintf(" %v", r.Flow.Labels)
		}
		list = append(list, text)
	}
	return list
}

var every = []string{"flow", "flow_update", "flow_stats", "flow_end", "endpoints"}

func withSinks(b *artifact.Bundle, sinks ...artifact.Sink) *artifact.Bundle {
	b.Sinks = sinks
	return b
}

// TestRecords plays a call and a download of a minute: what sinks are told, and
// that it is what the schemas say.
func TestRecords(t *testing.T) {
	a, b := connect("192.168.1.2:40000", "198.51.100.1:443"), connect("192.168.1.3:40001", "198.51.100.2:443")
	a.macs[client] = [6]byte{2, 0, 0, 0, 0, 1}
	s := aligned().call(a, "us04.zoom.us").handshake(b).wait(30*time.Second).download(a, 10)
	s.wait(5*time.Second).tcp(a, client, "A", 0, "").wait(40*time.Second).tcp(a, client, "A", 0, "").
		tcp(a, client, "FA", 0, "").tcp(a, server, "FA", 0, "")
	bundled := withSinks(bundle(t, zoomPolicy()), artifact.Sink{Name: "all", Records: every, Interval: time.Minute})
	bundled.Program.Effects[0].Notify = []int{0}
	o := &outlet{}
	play(t, s, bundled, func(c *Config) { c.Outlets = o })
	want := []string{
		"all flow zoom [zoom]", "all policy_match zoom zoom [{application zoom}]",
		"all flow_stats zoom 4/10040 0 B/s", "all flow_stats  2/40 0 B/s", "all endpoints ",
		"all flow_end zoom closed 6/10080", "all flow_end  stopped 2/40",
	}
	if diff := cmp.Diff(want, o.told(t)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, line := range o.lines {
		_, body, _ := strings.Cut(line, " ")
		valid(t, body)
	}
}

// valid holds a record against its schema, and against members that the schema
// does not know.
func valid(t *testing.T, body string) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	kind := v.(map[string]any)["type"].(string)
	data, err := os.ReadFile("../docs/schemas/" + kind + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	closeObjects(doc)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(kind, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(kind)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(v); err != nil {
		t.Errorf("%s\n%v", body, err)
	}
}

// closeObjects forbids members that are not listed.
func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v["additionalProperties"]; v["type"] == "object" && !ok {
			v["additionalProperties"] = false
		}
		for _, member := range v {
			closeObjects(member)
		}
	case []any:
		for _, e := range v {
			closeObjects(e)
		}
	}
}

// TestConditionsOfSinks says that a sink with a condition hears of the flows
// that meet it alone, and that a policy notifies once for a flow, also a policy
// on trial.
func TestConditionsOfSinks(t *testing.T) {
	a, b := connect("192.168.1.2:40000", "198.51.100.1:443"), connect("192.168.1.3:40001", "198.51.100.2:443")
	s := newScript().call(a, "us04.zoom.us").call(b, "www.skype.com")
	bundled := withSinks(bundle(t, zoomPolicy(), policyOf{name: "https", all: []artifact.Test{portTest(443)}}),
		artifact.Sink{Name: "all", Records: []string{"flow"}},
		artifact.Sink{Name: "skype", Records: []string{"flow"}, When: "app == 'skype'"})
	bundled.SinkProgram = artifact.Program{
		Engine: artifact.Engine, Tests: []artifact.Test{textTest("application", "skype")},
		Clauses: []artifact.Clause{{Policy: 1, Access: artifact.NoAccess, If: []artifact.Literal{0}}},
		Effects: make([]artifact.Effect, 2),
	}
	bundled.Program.Effects[1].Notify = []int{1}
	bundled.Policies[1].Audit = true
	o := &outlet{}
	_, e := play(t, s, bundled, func(c *Config) { c.Outlets = o })
	want := []string{"all flow zoom [zoom https]", "all flow skype [https]", "skype flow skype [https]", "skype policy_match skype https [{dst_port 443}]"}
	if diff := cmp.Diff(want, o.told(t)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if n := e.Stats().Notified; n != 1 {
		t.Errorf("got %d notified, want 1", n)
	}
}
