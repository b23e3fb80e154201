package enforcer

import (
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kpi"
	"github.com/netpol/netpol/enforcer/packet"
)

// batchSource is a Source that has several packets at hand. NextBatch fills at least
// one of raws and says how many; all are valid until the next call. It fails as
// Next does, and then fills none.
type batchSource interface {
	NextBatch(raws []packet.Raw) (n int, err error)
}

// aheadPackets are decoded and looked up together: as many reads of memory as a processor
// has on their way at once, and more, because some of them need none. 32 instead of 16
// took 2 % less for a whole capture, 64 no less than 32 (nine runs in turn, 2026-11).
const aheadPackets = 32

// ahead are packets of a batch that have been decoded and not dealt with. Their
// flows' records are asked for all at once, so that the processor waits for memory
// once a batch and not once a packet: with a million flows that is most of a
// packet's cost.
type ahead struct {
	from   batchSource
	at, n  int
	raws   [aheadPackets]packet.Raw
	parsed [aheadPackets]packet.Parsed
	keys   [aheadPackets]aheadKey
	hashes [aheadPackets]uint64
	ids    [aheadPackets]flow.ID // by hash
	kpis   [aheadPackets]kpi.Ref // of those that have a tally; 0 where nothing is measured
	counts uint64                // of flows read ahead; says nothing
}

// captured is a packet that has been read.
type captured struct {
	raw    packet.Raw
	parsed packet.Parsed
	key    flow.Key
}

// aheadKey is the key of a packet; valid iff known.
type aheadKey struct {
	key   flow.Key
	hash  uint64
	id    flow.ID // probably; 0 when not known, or the key is not
	fromB bool
	known bool
}

// newAhead is nil when the source gives one packet at a time.
func newAhead(s Source) *ahead {
	from, ok := s.(batchSource)
	if !ok {
		return nil
	}
	return &ahead{from: from}
}

// next takes the source's next packets in, as many as are there and limit at most, and says
// how many these were: one at least, unless it fails.
func (w *worker) next(limit int) (n int, err error) {
	a := w.ahead
	if a == nil {
		if err := w.config.Source.Next(w.raw); err != nil {
			return 0, err
		}
		w.packet()
		return 1, nil
	}
	if a.at == a.n {
		if err := w.lookAhead(); err != nil {
			return 0, err
		}
	}
	end := min(a.at+limit, a.n)
	for ; a.at < end; n++ {
		i := a.at
		a.at++
		w.raw, w.parsed, w.key = &a.raws[i], &a.parsed[i], &a.keys[i]
		if !w.pass() {
			w.handle()
		}
	}
	return n, nil
}

// pass counts the packet at hand if it is of a decided flow that it changes nothing of, as most packets of a
// capture are; false says that it has done nothing. It is what handle would do, without what
// such packets have no part in: a fifth of what they cost all in all (2026-11).
func (w *worker) pass() bool {
	a, p := w.key, w.parsed
	if a.id == 0 || w.config.Live || w.ticks && w.raw.Timestamp >= w.tickAt || w.sorts || w.raw.Interface != "" || w.fragments.Len() > 0 {
		return false
	}
	r := w.table.At(a.id)
	if !settled(r, p) || !r.Key.Same(&a.key) {
		return false
	}
	w.at = a.id
	w.arrived()
	w.tallyUp(r, a.fromB == r.Has(flow.ClientIsB))
	return true
}

// lookAhead reads a batch.
func (w *worker) lookAhead() (err error) {
	a := w.ahead
	a.at = 0
	if a.n, err = a.from.NextBatch(a.raws[:]); err != nil {
		a.n = 0
		return err
	}
	asked := 0
	for i := range a.n {
		p := &a.parsed[i]
		packet.Decode(&a.raws[i], p)
		k := &a.keys[i]
		// The key of what a fragment or a tunnel belongs to comes later.
		if k.known = p.Drop == packet.DropNone && p.Fragment == packet.NotFragment && w.config.Unwrap == 0; k.known {
			k.fromB = k.key.SetTo(p)
			k.hash = w.table.Hash(&k.key)
			a.hashes[asked] = k.hash
			asked++
		}
	}
	w.table.Warm(a.hashes[:asked], a.ids[:])
	w.warmTallies()
	return nil
}

// warmTallies hands out what flow.Table.Warm found, and reads the flows' tallies, and
// what these lead to. As there, where they are is found out before.
func (w *worker) warmTallies() {
	a := w.ahead
	at := 0
	for i := range a.n {
		k := &a.keys[i]
		if k.id = 0; k.known {
			k.id = a.ids[at]
			at++
		}
	}
	if !w.policy.counts {
		return
	}
	var found [aheadPackets]*tally
	n := 0
	for _, id := range a.ids[:at] {
		if id == 0 {
			continue
		}
		if i := w.table.At(id).Tally; i != 0 {
			found[n] = w.tallies.At(i)
			n++
		}
	}
	packets := uint64(0)
	for i, t := range found[:n] {
		packets += t.counts[0].Packets // what each packet reads may lie in two cache lines
		a.kpis[i] = t.kpi
	}
	if w.measures {
		packets += uint64(w.kpis.Warm(a.kpis[:n]))
	}
	a.counts = packets // so that the reads are not left out
}

// lookUp finds the flow of w.parsed, 0 if there is none, and its key; fromB says that
// the packet went from the key's end B to A. The key is valid until the next packet's.
func (w *worker) lookUp() (k *flow.Key, id flow.ID, fromB bool) {
	if a := w.key; a != nil && a.known {
		return &a.key, w.table.FindWarm(&a.key, a.hash, a.id), a.fromB
	}
	k = &w.single.key
	fromB = k.SetTo(w.parsed)
	return k, w.table.Find(k), fromB
}
