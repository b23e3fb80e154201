package enforcer

import (
	"fmt"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
)

// TestChartsShowTheLargest has applications come, grow and be overtaken: those that carried most
// have figures of their own, none of which ever becomes less, and nothing is counted twice.
func TestChartsShowTheLargest(t *testing.T) {
	c := newCharts(4)
	seen, sum := map[string]AppFigures{}, uint64(0)
	for round := range 200 {
		for app := range 12 {
			// The later they come the faster they grow.
			if app > round/10 {
				continue
			}
			n := uint64(1 + app*app*app)
			c.add(fmt.Sprintf("app%d", app), &AppFigures{Local: n, Other: n, Health: AppHealth{TCPPackets: n}})
			sum += 2 * n
		}
		c.rank()
		for name, now := range c.series() {
			if was := seen[name]; now.Local < was.Local || now.Other < was.Other || now.Health.TCPPackets < was.Health.TCPPackets || now.Health.TCPPackets != now.Local {
				t.Fatalf("round %d: %s was %v, is %v", round, name, was, now)
			}
			seen[name] = now
		}
	}
	counted := uint64(0)
	for _, app := range c.apps { // those that were overtaken, too
		counted += app.figures.Local + app.figures.Other
	}
	counted += c.rest.Local + c.rest.Other
	if counted != sum {
		t.Errorf("got %d bytes counted, want %d", counted, sum)
	}
	got := c.series()
	for _, name := range []string{"app8", "app9", "app10", "app11", "other"} {
		if _, ok := got[name]; !ok || len(got) != 5 {
			t.Errorf("got %v, want %s among the five", got, name)
		}
	}
}

// TestChartsAreBounded says that names without end cost nothing.
func TestChartsAreBounded(t *testing.T) {
	c := newCharts(2)
	for i := range 3 * appKeys {
		c.add(fmt.Sprint(i), &AppFigures{Local: 1})
	}
	if c.rank(); len(c.apps) != appKeys || c.series()["other"].Local != 3*appKeys-2 {
		t.Errorf("got %d applications, %v", len(c.apps), c.series())
	}
}

// TestAppsFare says that applications' health is there where it is measured, and that nothing measures it for metrics
// alone unless it is asked for.
func TestAppsFare(t *testing.T) {
	one := connect("192.168.1.2:40000", "198.51.100.1:443")
	tests := []struct {
		name  string
		sink  string
		asked bool
		want  AppHealth
	}{
		{"nobody asks", "flow", false, AppHealth{}},
		{"metrics ask", "flow", true, AppHealth{TCPPackets: 5, Resets: 1, RTTServer: AppTimes{1, 1000}, RTTClient: AppTimes{1, 1000}}},
		{"a sink asks", "flow_end", false, AppHealth{TCPPackets: 5, Resets: 1, RTTServer: AppTimes{1, 1000}, RTTClient: AppTimes{1, 1000}}},
	}
	for _, tt := range tests {
		s := newScript().call(one, "us04.zoom.us").tcp(one, server, "R", 0, "")
		b := withSinks(bundle(t, zoomPolicy()), artifact.Sink{Name: "all", Records: []string{tt.sink}})
		_, e := play(t, s, b, func(c *Config) { c.Outlets, c.Metrics, c.MetricsHealth = &outlet{}, true, tt.asked })
		m := e.Metrics()
		if got := m.Apps["zoom"]; got.Health != tt.want || got.Local == 0 || m.Health != (tt.want != AppHealth{}) {
			t.Errorf("%s: got %+v, %v, want %+v", tt.name, got, m.Health, tt.want)
		}
	}
}
