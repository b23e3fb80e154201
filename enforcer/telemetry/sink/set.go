package sink

import (
	"encoding/json"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// Config is what a Set works with. The zero value works.
type Config struct {
	Log    *slog.Logger // default: discard
	Stdout io.Writer    // of sinks of that kind; default: discard
	// Key makes pseudonyms of addresses; the same key makes the same ones.
	Key [32]byte
	// Version and Started are of the program, for sinks that tell whose records they are.
	Version string
	Started time.Time
}

// Set is the sinks of the bundle in force. Use and Offer are the engine's
// (enforcer.Outlets); the rest is safe for concurrent use.
type Set struct {
	config Config
	slots  atomic.Pointer[[]*slot]

	mu     sync.Mutex         // guards what follows
	open   map[string]*runner // by place
	closed bool
	wg     sync.WaitGroup
}

// slot is a sink of the bundle.
type slot struct {
	sink     artifact.Sink
	identity string
	kinds    record.Kinds
	runner   *runner

	mu       sync.Mutex // guards the redactor's scratch
	redactor *redactor  // nil when the sink is told all
}

// place is what a sink writes to and how, as text. Sinks of two bundles that have
// it in common are one: what waits stays, and clients stay connected.
func place(s artifact.Sink) string {
	s.Name, s.Records, s.When, s.Interval, s.Privacy, s.Details = "", nil, "", 0, artifact.Privacy{}, ""
	return identity(s)
}

// identity is all of a sink as text.
func identity(s artifact.Sink) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // there is nothing in it that JSON could not have
	}
	return string(text)
}

// New makes a set without sinks. The caller must Close it.
func New(c Config) *Set {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Stdout == nil {
		c.Stdout = io.Discard
	}
	s := &Set{config: c, open: make(map[string]*runner)}
	s.slots.Store(new([]*slot))
	return s
}

// Use goes over to a bundle's sinks: those that were there stay open, new ones
// open by themselves, and the others write what waits and close. It does not
// wait for either.
func (s *Set) Use(sinks []artifact.Sink) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	slots := make([]*slot, 0, len(sinks))
	open := make(map[string]*runner, len(sinks))
	for _, one := range sinks {
		at := place(one)
		r := open[at] // two sinks may share standard output
		if r == nil {
			if r = s.open[at]; r == nil {
				r = s.start(one)
			}
			open[at] = r
		}
		r.name.Store(&one.Name)
		n := &slot{sink: one, identity: identity(one), runner: r, redactor: newRedactor(one.Privacy, s.config.Key)}
		for _, name := range one.Records {
			if kind, ok := record.KindOf(name); ok {
				n.kinds |= record.Set(kind)
			}
		}
		slots = append(slots, n)
	}
	for at, r := range s.open {
		if open[at] == nil {
			r.stop()
		}
	}
	s.open = open
	s.slots.Store(&slots)
}

func (s *Set) start(one artifact.Sink) *runner {
	r := newRunner(one, s.config)
	s.wg.Go(r.run)
	return r
}

// Offer hands a record to a sink, by its place in the list last used, and says whether there
// was room for it.
func (s *Set) Offer(i int, r record.Record) (taken bool) {
	slots := *s.slots.Load()
	return i < len(slots) && slots[i].offer(r)
}

// Losses is a number that changes when records may be missing that a sink had taken, or when
// somebody reads it who has not read what came before.
func (s *Set) Losses(i int) uint64 {
	slots := *s.slots.Load()
	if i >= len(slots) {
		return 0
	}
	return slots[i].runner.losses()
}

// Tell hands a record to the sinks that take its kind and for which due holds,
// by their places. It is for records that are not of flows.
func (s *Set) Tell(r record.Record, due func(sink int) bool) {
	for i, one := range *s.slots.Load() {
		if one.kinds.Has(r.Kind()) && due(i) {
			one.runner.queue.put(r)
		}
	}
}

func (s *slot) offer(r record.Record) (taken bool) {
	if s.redactor == nil {
		return s.runner.queue.put(r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runner.queue.put(s.redactor.redact(r))
}

// Close writes what waits, for at most closeLimit, and closes all sinks.
func (s *Set) Close() {
	s.mu.Lock()
	s.closed = true
	for _, r := range s.open {
		r.stop()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// Status is how each sink is, in the bundle's order.
func (s *Set) Status() []telemetry.Sink {
	var out []telemetry.Sink
	for _, one := range *s.slots.Load() {
		out = append(out, one.runner.status(&one.sink))
	}
	return out
}
