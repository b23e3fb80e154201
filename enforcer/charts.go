package enforcer

import (
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

const (
	// maxAppSeries bounds the applications that have figures of their own.
	maxAppSeries = 256
	// appInterval is how often what applications carried is added up.
	appInterval = 10 * time.Second
	// appKeys bounds the applications of an interval, and those that are remembered; a catalogue has some thousand.
	appKeys = 8192
	// overtakes is by how much an application must have carried more, in percent, than the least that has figures
	// of its own, to take its place: two that are level must not change places all the time.
	overtakes = 110
)

// AppBytes is what an application has carried, by the side that sent it.
type AppBytes struct{ Local, Other uint64 }

func (a *AppBytes) add(local, other uint64) { a.Local, a.Other = a.Local+local, a.Other+other }

// charts are the applications that carried most, and what they carried. No figure ever becomes less, which would be taken
// for a restart: what an application carries counts for it while it is among them, and for
// the others while it is not, so that one that comes begins where it left off and the others keep what
// they had. Rates are right in any case.
type charts struct {
	limit int
	apps  map[string]*chart
	shown []*chart
	rest  AppBytes
}

// chart is one application.
type chart struct {
	name  string
	total uint64   // bytes in all
	bytes AppBytes // while it was shown
	shown bool
}

func newCharts(limit int) charts { return charts{limit: limit, apps: make(map[string]*chart)} }

// add counts for an application.
func (c *charts) add(name string, local, other uint64) {
	app := c.apps[name]
	if app == nil {
		if len(c.apps) >= appKeys {
			c.rest.add(local, other)
			return
		}
		app = &chart{name: name}
		c.apps[name] = app
		if len(c.shown) < c.limit {
			app.shown = true
			c.shown = append(c.shown, app)
		}
	}
	app.total += local + other
	if !app.shown {
		c.rest.add(local, other)
		return
	}
	app.bytes.add(local, other)
}

// rank gives the places of those that carried least to others that have carried more.
func (c *charts) rank() {
	if len(c.shown) < c.limit {
		return
	}
	least := c.least()
	for _, app := range c.apps {
		if app.shown || app.total/overtakes <= c.shown[least].total/100 {
			continue
		}
		c.shown[least].shown, app.shown = false, true
		c.shown[least] = app
		least = c.least()
	}
}

// least is the place of the one that carried least.
func (c *charts) least() (least int) {
	for i, s := range c.shown {
		if s.total < c.shown[least].total {
			least = i
		}
	}
	return least
}

// series are the figures; "other" is there once there is something in it.
func (c *charts) series() map[string]AppBytes {
	out := make(map[string]AppBytes, len(c.shown)+1)
	for _, app := range c.shown {
		out[app.name] = app.bytes
	}
	if c.rest != (AppBytes{}) {
		out["other"] = c.rest
	}
	return out
}

// appAggregate adds up what applications carry, for the meter instead of a sink.
func appAggregate() artifact.Aggregate {
	return artifact.Aggregate{By: []string{"application"}, Interval: appInterval, Top: appKeys, Keys: appKeys}
}

// isMeter says that an account of the ledger is the meter's.
func isMeter(a *artifact.Aggregate) bool { return a.Name == "" }

// take adds an interval of appAggregate.
func (t *meter) take(r *record.Aggregate) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range r.Rows {
		row := &r.Rows[i]
		name := row.ApplicationName
		if name == "" {
			name = "unknown"
		}
		t.apps.add(name, row.LocalBytes, row.OtherBytes)
	}
	if r.Part == r.Parts {
		t.apps.rest.add(r.Other.LocalBytes, r.Other.OtherBytes)
		t.apps.rank()
	}
}
