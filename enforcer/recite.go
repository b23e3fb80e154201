package enforcer

import (
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// recital is which details of a flow sinks have been told, where one is told them once.
type recital struct {
	to    uint32 // the sinks that took them, by place; later ones than the 32nd are told each time
	facts uint32 // what was known of the flow, with its version in the store
	since uint32
	tuple uint64 // what tells apart what its packets' headers said
	at    uint64 // its number among the worker's
}

// reader is what the engine knows of who reads a sink.
type reader struct {
	losses uint64 // of the sink, when somebody looked last
	lost   uint64 // up to which recital what it was told may not have arrived
}

// attention has everybody be told details anew: a bundle's sinks have other places, and what
// is local may be something else.
func (w *worker) attention() {
	w.readers = w.readers[:0]
	if w.config.Outlets == nil || !w.policy.audience.once {
		return
	}
	for i := range w.policy.audience.sinks {
		w.readers = append(w.readers, reader{w.config.Outlets.Losses(i), w.recitals})
	}
}

// recite hands sinks a record of a flow with its details. A sink that is told them once gets
// those that it does not have: because they are others by now, because it took no record
// that had them, or because that may not have arrived.
func (w *worker) recite(to []int, r *flow.Record, one record.Record, d *record.Detail) {
	if !w.policy.audience.once || r.Tally == 0 || w.foretelling {
		w.offer(to, one)
		return
	}
	before := &w.tallies.At(r.Tally).recited
	facts := w.factsOf(r)
	w.recitals++
	now := recital{facts: facts, since: w.store.version(facts), tuple: w.tupleOf(r), at: w.recitals}
	known := record.Known{Tuple: before.tuple == now.tuple, Facts: before.facts == now.facts && before.since == now.since}
	w.stats.Records++
	for i := range w.policy.audience.sinks {
		if known.Tuple && known.Facts && w.recited(before, i) {
			now.to |= 1 << i
		}
	}
	for _, i := range to {
		if d.Known = (record.Known{}); w.policy.audience.sinks[i].once && w.recited(before, i) {
			d.Known = known
		}
		if w.config.Outlets.Offer(i, one) {
			now.to |= 1 << i
		}
	}
	*before = now
}

// recited says that a sink has what a flow's last recital told.
func (w *worker) recited(k *recital, sink int) bool {
	if k.to&(1<<sink) == 0 {
		return false
	}
	reader := &w.readers[sink]
	if n := w.config.Outlets.Losses(sink); n != reader.losses {
		reader.losses, reader.lost = n, w.recitals-1 // the one at hand is not told yet
	}
	return k.at > reader.lost
}

// tupleOf tells apart what the headers of a flow's packets say of it, and who opened it. The key
// and when it began stay what they are.
func (w *worker) tupleOf(r *flow.Record) uint64 {
	t := w.traitsOf(r)
	out := uint64(t.mac[0]) | uint64(t.mac[1])<<16 | uint64(t.iface)<<32 | uint64(t.dscp)<<48
	if r.Has(flow.ClientIsB) {
		out |= 1 << 56
	}
	if r.Has(flow.Translated) {
		out |= 1 << 57
	}
	return out
}
