package enforcer

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/enforcer/telemetry"
)

// asked has questions answered while a script's flows are known.
func asked(t *testing.T, s *script, where policyOf, questions ...telemetry.Question) []telemetry.Overview {
	t.Helper()
	return askedOf(t, s, where, Config{Bundle: bundle(t, zoomPolicy())}, questions...)
}

// askedOf does so of an engine.
func askedOf(t *testing.T, s *script, where policyOf, config Config, questions ...telemetry.Question) []telemetry.Overview {
	t.Helper()
	filter, err := program.Load(bundle(t, where))
	if err != nil {
		t.Fatal(err)
	}
	config.Source, config.Dissectors = s, dissectors()
	e, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	var out []telemetry.Overview
	done := make(chan struct{})
	s.do(func() {
		go func() {
			defer close(done)
			for _, q := range questions {
				o := NewOverview(q, filter)
				e.Oversee(o)
				out = append(out, o.Answer())
			}
		}()
	})
	s.until(func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	})
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestOverview asks about calls of two applications and datagrams of none.
func TestOverview(t *testing.T) {
	s := newScript()
	for i := range 3 {
		s.call(connect(fmt.Sprintf("192.168.1.2:%d", 40000+i), "198.51.100.1:443"), fmt.Sprintf("us%d.zoom.us", i))
	}
	s.call(connect("192.168.1.3:40000", "198.51.100.2:443"), "skype.com")
	for i := range 20 {
		s.udp(connect(fmt.Sprintf("192.168.1.4:%d", 1000+i), "198.51.100.3:9"), dissect.Client, strings.Repeat("x", i))
	}
	everything := policyOf{name: "all", all: []artifact.Test{over("other_port", 0).all[0]}}
	short := func(o telemetry.Overview) (lines []string) {
		lines = append(lines, fmt.Sprintf("%d flows, %d rows", o.Total.Flows, o.Count))
		for _, r := range o.Rows {
			lines = append(lines, fmt.Sprintf("%s %d", r.Name, r.Flows))
		}
		for _, f := range o.Flows {
			lines = append(lines, fmt.Sprintf("%s %s %d", f.Application, f.SrcIP, f.SrcPort))
		}
		return lines
	}
	tests := []struct {
		name string
		q    telemetry.Question
		want []string
	}{
		{"all of many, the largest first", telemetry.Question{Order: telemetry.OrderBytes, Flows: 2}, []string{"24 flows, 0 rows", "zoom 192.168.1.2 40000", "zoom 192.168.1.2 40001"}},
		{"the last first", telemetry.Question{Order: telemetry.OrderNew, Flows: 1}, []string{"24 flows, 0 rows", " 192.168.1.4 1019"}},
		{"the first first", telemetry.Question{Order: telemetry.OrderOld, Flows: 1}, []string{"24 flows, 0 rows", "zoom 192.168.1.2 40000"}},
		{"applications", telemetry.Question{By: telemetry.ByApplication, Order: telemetry.OrderFlows, Rows: 9}, []string{"24 flows, 3 rows", "- 20", "zoom 3", "skype 1"}},
		{"by name", telemetry.Question{By: telemetry.ByApplication, Order: telemetry.OrderName, Rows: 9}, []string{"24 flows, 3 rows", "- 20", "skype 1", "zoom 3"}},
		{"cut rows are counted", telemetry.Question{By: telemetry.ByHost, Order: telemetry.OrderFlows, Rows: 1}, []string{"24 flows, 3 rows", "192.168.1.4 20"}},
		{"hosts of an application", telemetry.Question{By: telemetry.ByHost, Rows: 9, Within: []telemetry.Part{{By: telemetry.ByApplication, Name: "zoom"}}}, []string{"3 flows, 1 rows", "192.168.1.2 3"}},
		{"policies", telemetry.Question{By: telemetry.ByPolicy, Order: telemetry.OrderFlows, Rows: 9}, []string{"24 flows, 2 rows", "- 21", "zoom 3"}},
		{"names of the unnamed", telemetry.Question{By: telemetry.ByName, Rows: 9, Within: []telemetry.Part{{By: telemetry.ByApplication, Name: telemetry.Unnamed}}}, []string{"20 flows, 1 rows", "- 20"}},
		{"a word of a name", telemetry.Question{Flows: 9, Order: telemetry.OrderBytes, Text: "US1.Zoom"}, []string{"1 flows, 0 rows", "zoom 192.168.1.2 40001"}},
		{"a word of an address", telemetry.Question{By: telemetry.ByRemote, Rows: 9, Text: "100.2"}, []string{"1 flows, 1 rows", "198.51.100.2 1"}},
		{"groups, the first that a host is in", telemetry.Question{By: telemetry.ByGroup, Order: telemetry.OrderFlows, Rows: 9, Groups: []telemetry.Group{
			{Name: "kids", Networks: []netip.Prefix{netip.MustParsePrefix("192.168.1.2/31")}},
			{Name: "home", Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.168.1.2/32")}},
		}}, []string{"24 flows, 2 rows", "- 20", "kids 4"}},
		{"nothing is wanted", telemetry.Question{}, []string{"24 flows, 0 rows"}},
	}
	questions := make([]telemetry.Question, len(tests))
	for i := range tests {
		questions[i] = tests[i].q
	}
	for i, got := range asked(t, s, everything, questions...) {
		if diff := cmp.Diff(tests[i].want, short(got)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tests[i].name, diff)
		}
	}
}

// TestOverviewOfSome asks with a program.
func TestOverviewOfSome(t *testing.T) {
	s := newScript().call(connect("192.168.1.2:40000", "198.51.100.1:443"), "us04.zoom.us").call(connect("192.168.1.3:40000", "198.51.100.2:443"), "skype.com")
	got := asked(t, s, zoomPolicy(), telemetry.Question{By: telemetry.ByHost, Rows: 9})[0]
	if got.Total.Flows != 1 || len(got.Rows) != 1 || got.Rows[0].Name != "192.168.1.2" {
		t.Errorf("got %+v", got)
	}
}

// TestOverviewOfMeasured asks how flows fare.
func TestOverviewOfMeasured(t *testing.T) {
	one := connect("192.168.1.2:40000", "198.51.100.1:443")
	s := newScript().call(one, "us04.zoom.us").tcp(one, server, "R", 0, "").call(connect("192.168.1.3:40000", "198.51.100.2:443"), "skype.com")
	b := withSinks(bundle(t, zoomPolicy()), artifact.Sink{Name: "all", Records: []string{"flow_end"}})
	got := askedOf(t, s, over("tcp_resets", 1), Config{Bundle: b, Outlets: &outlet{}}, telemetry.Question{By: telemetry.ByHost, Rows: 9})[0]
	if got.Total.Flows != 1 || len(got.Rows) != 1 || got.Rows[0].Name != "192.168.1.2" {
		t.Errorf("got %+v", got)
	}
}
