package daemon

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/pulse"
)

// healthMemory is how long something that only happens at times counts as going on
// after it happened last.
const healthMemory = 5 * time.Minute

// health knows what is not as it should be. Each reason is logged once, with the
// way out, and once when it is over; everything else is for those who ask. It is
// safe for concurrent use.
type health struct {
	log *slog.Logger

	mu     sync.Mutex // guards what follows
	going  []ailment
	counts map[string]counted // by sign's code
}

// ailment is a reason, and who tells of it: they tell when it is over, too.
type ailment struct {
	by string
	control.Reason
}

// counted is what a sign said last.
type counted struct {
	n     uint64
	until time.Time // counts as going on
}

func newHealth(log *slog.Logger) *health {
	return &health{log: log, counts: make(map[string]counted)}
}

// take looks at counters: a sign that grew is a reason.
func (h *health) take(counters map[string]uint64, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range signs() {
		was, known := h.counts[s.code]
		n := s.total(counters)
		switch {
		case !known && s.kernels: // what was before is not ours to tell
			h.counts[s.code] = counted{n: n}
		case n > was.n:
			h.counts[s.code] = counted{n, now.Add(healthMemory)}
			h.set(s.code, []control.Reason{{Code: s.code, Detail: s.says(n), WayOut: s.wayOut, Count: n}}, now)
		case n < was.n: // another enforcement, which counts from 0
			h.counts[s.code] = counted{n, was.until}
		case !now.Before(was.until):
			h.set(s.code, nil, now)
		}
	}
}

// tell notes all that is wrong in somebody's eyes; none ends what they told.
func (h *health) tell(by string, reasons ...control.Reason) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.set(by, reasons, time.Now())
}

// set replaces the reasons of one who tells; the caller holds mu.
func (h *health) set(by string, reasons []control.Reason, now time.Time) {
	h.going = slices.DeleteFunc(h.going, func(a ailment) bool {
		over := a.by == by && !slices.ContainsFunc(reasons, func(r control.Reason) bool { return same(r, a.Reason) })
		if over {
			h.log.Info("no longer degraded", "code", a.Code, "about", a.About, "since", a.Since)
		}
		return over
	})
	for _, r := range reasons {
		i := slices.IndexFunc(h.going, func(a ailment) bool { return a.by == by && same(r, a.Reason) })
		if i >= 0 {
			r.Since = h.going[i].Since
			h.going[i].Reason = r
			continue
		}
		r.Since = now.UTC()
		h.going = append(h.going, ailment{by, r})
		h.log.Warn("degraded", "code", r.Code, "about", r.About, "detail", r.Detail, "way_out", r.WayOut)
	}
}

// same says that two reasons are one with other values.
func same(a, b control.Reason) bool { return a.Code == b.Code && a.About == b.About }

// list is what is going on, in the order in which it began.
func (h *health) list() []control.Reason {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []control.Reason
	for _, a := range h.going {
		out = append(out, a.Reason)
	}
	return out
}

// watchHealth looks at counters, sets and the state directory each second until ctx
// ends, and for a bundle while there is none.
func (d *daemon) watchHealth(ctx context.Context) {
	sets := setWatch{every: d.cfg.interval}
	for {
		d.examineState()
		if e := d.current(); e != nil {
			d.examine(e)
			if gone := sets.look(e, time.Now()); len(gone) > 0 {
				d.keeper.setsLost(ctx, gone)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-pulse.Next():
		}
		if d.waiting() {
			if err := d.load(); fatal(err) {
				d.fail(err)
			}
		}
	}
}

// examine brings the reasons up to date with what an enforcement counts, and
// returns its counters.
func (d *daemon) examine(e *enforcement) map[string]uint64 {
	d.examining.Lock() // what is counted later is taken later
	defer d.examining.Unlock()
	counters := e.counters()
	d.health.take(counters, time.Now())
	var reasons []control.Reason
	for _, f := range e.engine.SetFaults() {
		reasons = append(reasons, setReason(f))
	}
	d.health.tell("sets", reasons...)
	var broken []control.Reason
	for _, s := range e.sinks.Status() {
		if r, ok := sinkReason(&s); ok {
			broken = append(broken, r)
		}
	}
	d.health.tell("sinks", broken...)
	d.health.tell("inputs", e.inputs.reasons()...)
	d.examineDissectors(e.dissectorFaults())
	return counters
}
