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

// AppFigures are the bytes that an application has carried, by the side that sent them, and how its connections
// have fared.
type AppFigures struct {
	Local, Other uint64
	Health       AppHealth
}

// AppHealth is how an application's connections have fared, by those of their packets that were measured.
type AppHealth struct {
	TCPPackets, Retransmissions, Resets uint64
	RTPPackets, RTPLost                 uint64
	RTTServer, RTTClient, AppResponse   AppTimes
}

// AppTimes are how many times were measured, and all of them together in microseconds.
type AppTimes struct{ Count, Micros uint64 }

func (a *AppFigures) add(o *AppFigures) {
	a.Local, a.Other = a.Local+o.Local, a.Other+o.Other
	h, more := &a.Health, &o.Health
	h.TCPPackets, h.Retransmissions, h.Resets = h.TCPPackets+more.TCPPackets, h.Retransmissions+more.Retransmissions, h.Resets+more.Resets
	h.RTPPackets, h.RTPLost = h.RTPPackets+more.RTPPackets, h.RTPLost+more.RTPLost
	h.RTTServer.add(more.RTTServer)
	h.RTTClient.add(more.RTTClient)
	h.AppResponse.add(more.AppResponse)
}

func (t *AppTimes) add(o AppTimes) { t.Count, t.Micros = t.Count+o.Count, t.Micros+o.Micros }

// figuresOf are those of a row.
func figuresOf(s *record.Sum) AppFigures {
	out := AppFigures{Local: s.LocalBytes, Other: s.OtherBytes}
	if h := s.Health; h != nil {
		out.Health = AppHealth{
			TCPPackets: h.TCP.Packets, Retransmissions: h.TCP.Retrans, Resets: h.TCP.Resets,
			RTPPackets: h.RTP.LocalPackets + h.RTP.OtherPackets, RTPLost: h.RTP.LocalLost + h.RTP.OtherLost,
			RTTServer: timesOf(h.RTTServer), RTTClient: timesOf(h.RTTClient), AppResponse: timesOf(h.AppResponse),
		}
	}
	return out
}

func timesOf(t *record.Times) AppTimes {
	if t == nil {
		return AppTimes{}
	}
	return AppTimes{Count: t.Count, Micros: t.Sum}
}

// charts are the applications that carried most, and what they carried. No figure ever becomes less, which would be taken
// for a restart: what an application carries counts for it while it is among them, and for
// the others while it is not, so that one that comes begins where it left off and the others keep what
// they had. Rates are right in any case.
type charts struct {
	limit int
	apps  map[string]*chart
	shown []*chart
	rest  AppFigures
}

// chart is one application.
type chart struct {
	name    string
	total   uint64     // bytes in all
	figures AppFigures // while it was shown
	shown   bool
}

func newCharts(limit int) charts { return charts{limit: limit, apps: make(map[string]*chart)} }

// add counts for an application.
func (c *charts) add(name string, more *AppFigures) {
	app := c.apps[name]
	if app == nil {
		if len(c.apps) >= appKeys {
			c.rest.add(more)
			return
		}
		app = &chart{name: name}
		c.apps[name] = app
		if len(c.shown) < c.limit {
			app.shown = true
			c.shown = append(c.shown, app)
		}
	}
	app.total += more.Local + more.Other
	if !app.shown {
		c.rest.add(more)
		return
	}
	app.figures.add(more)
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
func (c *charts) series() map[string]AppFigures {
	out := make(map[string]AppFigures, len(c.shown)+1)
	for _, app := range c.shown {
		out[app.name] = app.figures
	}
	if c.rest != (AppFigures{}) {
		out["other"] = c.rest
	}
	return out
}

// appAggregate adds up what applications carry, for the meter instead of a sink, and how they fare.
func appAggregate(health bool) artifact.Aggregate {
	return artifact.Aggregate{By: []string{"application"}, Interval: appInterval, Top: appKeys, Keys: appKeys, Health: health}
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
		more := figuresOf(&row.Sum)
		t.apps.add(name, &more)
	}
	if r.Part == r.Parts {
		rest := figuresOf(&r.Other)
		t.apps.rest.add(&rest)
		t.apps.rank()
	}
}
