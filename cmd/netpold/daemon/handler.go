package daemon

import (
	"maps"
	"os"
	"time"

	"github.com/netpol/netpol/cmd/internal/buildinfo"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/enforcer/telemetry/sink"
	"github.com/netpol/netpol/lang/fact"
)

// The daemon answers on the control socket. These methods are called from
// several goroutines at once.
var _ control.Handler = (*daemon)(nil)

// Status says how netpold is.
func (d *daemon) Status() control.Status {
	s := control.Status{Version: buildinfo.Version(), PID: os.Getpid(), Started: d.started, SinkKinds: sink.Kinds()}
	e := d.current()
	if e != nil {
		s.Counters = d.examine(e)
		_, s.Counters["table_repairs"] = d.keeper.told()
		if d.owner.owner.Owns() {
			s.Counters["table_owned"] = 1
		}
	}
	d.examineState()
	s.Degraded = d.health.list()
	d.mu.Lock()
	defer d.mu.Unlock()
	s.Waiting, s.Detail = d.running == nil, d.lastFail
	if d.running != nil {
		s.Digest, s.Policies, s.Labels = d.running.digest, d.running.policies, d.running.labels
		s.Sinks = d.running.sinks.Status()
	}
	return s
}

// Reload takes the applied bundle as it is on disk now.
func (d *daemon) Reload() (control.Status, error) {
	notifyReloading(d.log)
	err := d.load()
	notifyReady(d.log, d.statusLine())
	if fatal(err) {
		d.fail(err)
	}
	return d.Status(), err
}

// Release lets go of the table, so that netpol can change it.
func (d *daemon) Release() error { return d.owner.release() }

// Adopt owns the table again.
func (d *daemon) Adopt() error { return d.owner.adopt() }

// Changes are what others did to netpol's table.
func (d *daemon) Changes() []control.Change {
	changes, _ := d.keeper.told()
	return changes
}

// Flows lists connections that are tracked.
func (d *daemon) Flows(limit int) []telemetry.Flow {
	if e := d.current(); e != nil {
		flows := e.engine.Flows(limit)
		return append(flows, e.inputs.flows(limit-len(flows))...)
	}
	return nil
}

// Overview answers a question about connections of which a program's first policy holds.
func (d *daemon) Overview(q telemetry.Question, p *artifact.Program) (telemetry.Overview, error) {
	e := d.current()
	if e == nil {
		return telemetry.Overview{}, nil
	}
	b := &artifact.Bundle{Format: artifact.FormatVersion, ABI: fact.ABI(), Program: *p, Policies: make([]artifact.Policy, 1)}
	filter, err := program.Load(b)
	if err != nil {
		return telemetry.Overview{}, err
	}
	o := enforcer.NewOverview(q, filter)
	e.engine.Oversee(o)
	for _, engine := range e.inputs.engines() {
		engine.Oversee(o)
	}
	return o.Answer(), nil
}

// Why gives the account of one connection.
func (d *daemon) Why(t flow.Tuple) (telemetry.Why, bool) {
	if e := d.current(); e != nil {
		if why, ok := e.engine.Why(t); ok {
			return why, true
		}
		return e.inputs.why(t)
	}
	return telemetry.Why{}, false
}

// tryLimit is how long a sink may take for a record that tries it: a second to gather
// others, and for a place that hangs.
const tryLimit = 10 * time.Second

// TrySinks gives some sinks a record of how netpold is.
func (d *daemon) TrySinks(names []string) []telemetry.SinkTrial {
	e := d.current()
	if e == nil {
		return nil
	}
	return e.sinks.Try(names, e.reporter.status(time.Now(), 0), tryLimit)
}

// current is the enforcement at work, or nil. It is asked without the lock: an
// answer may take as long as the engine's next batch, and an engine that has
// stopped answers with nothing.
func (d *daemon) current() *enforcement {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.running
}

// counters are the engine's figures and those of the kernel's doors.
func (e *enforcement) counters() map[string]uint64 {
	stats := e.engine.Stats()
	counters := stats.Counters()
	counters["records_dropped"] = countDropped(e.sinks.Status())
	maps.Copy(counters, e.inputs.counters())
	source, w := e.lanes.stats()
	maps.Copy(counters, map[string]uint64{
		"capture_lost":    source.Lost,
		"held_late":       source.Queue.Late,
		"held_told":       source.Queue.Told,
		"held_refused":    source.Queue.Refused + source.Queue.Stray,
		"ct_updates":      w.Updates,
		"ct_retries":      w.Retries,
		"ct_gone":         w.Gone,
		"unlabelable":     w.NoRoom, // connections older than the first rule that sets a label
		"ct_denied":       w.Denied,
		"ct_invalid":      w.Invalid,
		"ct_failed":       w.Failed,
		"ct_dropped":      w.Dropped,
		"ct_overruns":     w.Overruns,
		"ct_last_failure": uint64(w.LastErrno),
	})
	if t, err := e.lanes.list[0].client.TableStats(); err == nil { // without them the counters are missing
		maps.Copy(counters, map[string]uint64{
			"conntrack_entries": t.Entries, "conntrack_max": t.Max, "conntrack_early_drop": t.EarlyDrop,
			"conntrack_drop": t.Drop, "conntrack_insert_failed": t.InsertFailed,
		})
	}
	return counters
}
