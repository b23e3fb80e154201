package enforcer

import (
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/lang/fact"
)

// opening is what a flow needs while it is inspected, and gives back when it
// is decided: by Record.State. Flows get one with their first payload: a SYN costs none.
type opening struct {
	candidates dissect.Candidates
	streams    [2]flow.Stream // by dissect.Side
	datagrams  flow.Datagrams
	beside     *beside // nil for most
	facts      uint32  // the store's index of what it has shown, 0 for nothing
	before     uint32  // and of what was known before inspection began, which is the record's again after it
	result     dissect.Result
	evasive    bool // its packets contradict each other, and its facts say so
	translated bool // it was decided as one whose replies bear other addresses
}

// beside is what few flows have while they are inspected.
type beside struct {
	announced string         // the protocol that another flow has announced for this one
	aside     [2]flow.Stream // of segments that receivers throw away, by dissect.Side
}

// announced is the protocol that another flow has announced for this one.
func (o *opening) announced() string {
	if o.beside == nil {
		return ""
	}
	return o.beside.announced
}

// open gives the flow its opening state. When too many are open, the one that
// has waited longest is decided on what it has shown.
func (w *worker) open(id flow.ID, r *flow.Record) *opening {
	if r.Has(flow.Opened) {
		return w.openings.At(r.State)
	}
	w.table.Move(id, flow.Opening, w.clock.now) // behind those that may have to make room
	for w.crammed() {
		oldest := w.table.Oldest(flow.Opening)
		if oldest == id {
			break // nobody waits longer
		}
		if w.table.At(oldest).Has(flow.Opened) { // not one that was reopened and is silent
			w.stats.Cut++
			w.crowded(w.table.At(oldest))
		}
		w.settle(oldest, w.table.At(oldest))
	}
	before := r.State
	r.State = w.openings.Take()
	r.Set(flow.Opened)
	w.engine.opening.Add(1)
	o := w.openings.At(r.State)
	o.before = before
	f := w.recall(r)
	o.translated = r.Has(flow.Translated)
	if protocol, ok := w.names.Announced(f, w.clock.now); ok {
		o.beside = &beside{announced: protocol}
	}
	o.candidates = w.scheduler.Start(f.IPProtocol == packet.ProtoTCP, uint16(f.SrcPort), uint16(f.DstPort))
	for side, seen := range [2]flow.Flags{flow.SynClient, flow.SynServer} {
		if r.Has(seen) {
			o.streams[side].Syn(r.ISN(side == int(dissect.Server)))
		}
	}
	return o
}

// shut takes the opening state back.
func (w *worker) shut(r *flow.Record) {
	if !r.Has(flow.Opened) {
		return
	}
	o := w.openings.At(r.State)
	for side := range o.streams {
		o.streams[side].Release(&w.buffers)
		if o.beside != nil {
			o.beside.aside[side].Release(&w.buffers)
		}
	}
	o.datagrams.Release(&w.buffers)
	w.store.release(o.facts)
	before := o.before
	o.beside = nil
	w.openings.Release(r.State)
	w.engine.opening.Add(-1)
	r.Clear(flow.Opened)
	r.State, w.recalled = before, nil
}

// recall brings what is known of flow r, which is inspected, into w.facts. There it
// stays while the packet at hand is dealt with; what changes is lost without retain.
func (w *worker) recall(r *flow.Record) *fact.Facts {
	if w.recalled != r {
		w.load(r, &w.facts)
		w.recalled = r
	}
	return &w.facts
}

// retain keeps what w.facts knows of flow r, and says whether that is something else
// than before. Its tuple does not count.
func (w *worker) retain(r *flow.Record, o *opening) (changed bool) {
	now := w.store.keep(w.recall(r), o.facts)
	w.store.release(o.facts)
	changed, o.facts = now != o.facts, now
	return changed
}

// protocol is what flow r, which is inspected, is known to speak.
func (w *worker) protocol(r *flow.Record, o *opening) string {
	if w.recalled == r {
		return w.facts.Protocol
	}
	return w.store.at(o.facts).Protocol()
}

// owned says that flow r, which is inspected, is known by a host name or an application.
func (w *worker) owned(r *flow.Record, o *opening) bool {
	if w.recalled == r {
		return w.facts.Hostname != "" || w.facts.Application != ""
	}
	return w.store.at(o.facts).Named()
}

// moves says that the flow's addresses are translated, and were not when it was decided
// last.
func (o *opening) moves(r *flow.Record) bool {
	moved := r.Has(flow.Translated) && !o.translated
	o.translated = r.Has(flow.Translated)
	return moved
}

// accuse notes that the flow's packets contradict each other.
func (w *worker) accuse(r *flow.Record, o *opening) {
	if !o.evasive {
		o.evasive = true
		w.recall(r).Evasive = true
		w.retain(r, o)
	}
}
