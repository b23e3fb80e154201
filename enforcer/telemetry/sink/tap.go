package sink

import (
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// Tap lets another engine of the same bundle tell a Set's sinks: the Set follows
// the first engine, and a tap finds the sinks of its own engine's bundle in it.
// What it has for a sink that the Set does not have yet, or no more, is dropped.
// Not safe for concurrent use: each engine has its own.
type Tap struct {
	set *Set

	sinks []string // of its engine's bundle, as identity has them
}

// Tap makes a tap.
func (s *Set) Tap() *Tap { return &Tap{set: s} }

// Use goes over to a bundle's sinks.
func (t *Tap) Use(sinks []artifact.Sink) {
	t.sinks = make([]string, len(sinks))
	for i, s := range sinks {
		t.sinks[i] = identity(s)
	}
}

// Offer hands a record to a sink, by its place in the list last used, and says whether there
// was room for it.
func (t *Tap) Offer(i int, r record.Record) (taken bool) {
	one := t.slot(i)
	return one != nil && one.offer(r)
}

// Losses is a sink's, as Set has it.
func (t *Tap) Losses(i int) uint64 {
	if one := t.slot(i); one != nil {
		return one.runner.losses()
	}
	return 0
}

// slot is where the Set has a sink, or nil.
func (t *Tap) slot(i int) *slot {
	for _, one := range *t.set.slots.Load() {
		if one.identity == t.sinks[i] {
			return one
		}
	}
	return nil
}
