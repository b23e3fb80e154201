package enforcer

import (
	"fmt"
	"testing"
)

// TestChartsShowTheLargest has applications come, grow and be overtaken: those that carried most
// have figures of their own, none of which ever becomes less, and nothing is counted twice.
func TestChartsShowTheLargest(t *testing.T) {
	c := newCharts(4)
	seen, sum := map[string]AppBytes{}, uint64(0)
	for round := range 200 {
		for app := range 12 {
			// The later they come the faster they grow.
			if app > round/10 {
				continue
			}
			n := uint64(1 + app*app*app)
			c.add(fmt.Sprintf("app%d", app), n, n)
			sum += 2 * n
		}
		c.rank()
		for name, now := range c.series() {
			if was := seen[name]; now.Local < was.Local || now.Other < was.Other {
				t.Fatalf("round %d: %s was %v, is %v", round, name, was, now)
			}
			seen[name] = now
		}
	}
	counted := uint64(0)
	for _, app := range c.apps { // those that were overtaken, too
		counted += app.bytes.Local + app.bytes.Other
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
		c.add(fmt.Sprint(i), 1, 0)
	}
	if c.rank(); len(c.apps) != appKeys || c.series()["other"].Local != 3*appKeys-2 {
		t.Errorf("got %d applications, %v", len(c.apps), c.series())
	}
}
