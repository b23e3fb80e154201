package enforcer

import (
	"math"
	"time"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// DefaultInterval is how far readings of the counters lie apart.
const DefaultInterval = 5 * time.Second

// trackedTimeouts are after how long of silence conntrack forgets a connection,
// by default (nf_conntrack_udp_timeout_stream, tcp_timeout_established is days):
// in a file no conntrack says that it did.
var trackedTimeouts = flow.Timeouts{Established: 1 << 62, Datagram: 120 * time.Second}

// ticking says that tick may have something to do.
func (w *worker) ticking() bool {
	p := w.policy
	return !w.config.Live && (p.watch != nil || p.audience.rates || p.audience.rounds || p.ledger != nil)
}

// tick does what is due in a capture file at a packet's time stamp. Readings are
// made at the same moments as live, at whole intervals of the clock, where
// somebody asks for rates: counts are known without them. Through a gap without
// packets the first and the last reading are made: those between would find what
// the last one does.
func (w *worker) tick(stamp int64) {
	if w.policy.watch != nil || w.policy.audience.rates {
		w.readUntil(stamp)
	}
	w.roundAt(stamp)
	w.billAt(stamp)
	w.tickAt = w.nextTick()
}

// nextTick is the first time stamp at which something will be due.
func (w *worker) nextTick() int64 {
	next := int64(math.MaxInt64)
	if w.dueAt != 0 {
		next = w.dueAt
	}
	for i, s := range w.policy.audience.sinks {
		if w.config.Outlets != nil && s.kinds&periodic != 0 {
			next = min(next, w.tour.due[i])
		}
	}
	if l := w.policy.ledger; l != nil {
		next = min(next, l.next())
	}
	return next
}

// readUntil makes the readings before a packet's time stamp.
func (w *worker) readUntil(stamp int64) {
	interval := int64(w.config.Interval)
	if w.dueAt == 0 {
		w.dueAt = (stamp/interval + 1) * interval
		return
	}
	for n := 0; stamp >= w.dueAt; n++ {
		if n == 1 {
			w.dueAt = stamp / interval * interval
		}
		w.clock.now = max(w.clock.now, w.dueAt)
		w.readAll(w.dueAt)
		w.dueAt += interval
	}
}

// readAll takes the counters of the file's flows as they are. Where nobody asks how old flows
// are, those that carry nothing are left out once their rate is 0.
func (w *worker) readAll(now int64) {
	w.stats.Readings++
	w.walks.share()
	if w.policy.watch != nil || w.policy.audience.ages {
		w.table.Gather(&w.walks.reading)
	}
	w.table.SliceOf(&w.walks.reading, 0, math.MaxInt, func(_ flow.ID, r *flow.Record) (again bool) {
		if r.Tally == 0 || r.Ended() || w.untracked(r, now) {
			return false
		}
		if !r.Has(flow.Done) {
			return true
		}
		t := w.tallies.At(r.Tally)
		if t.readAt != 0 {
			t.readAt = max(t.readAt, w.readBefore) // it was left out
		}
		if w.policy.watch == nil {
			t.read(now, r.FirstSeen, w.config.Interval) // what packets added they have said themselves
		} else {
			w.reading(r, t, now, t.measure(r.FirstSeen))
		}
		return t.rate != [2]uint64{}
	})
	w.readBefore = now
}

// untracked says that conntrack would have forgotten a flow.
func (w *worker) untracked(r *flow.Record, now int64) bool {
	timeout := trackedTimeouts.Datagram
	if r.Class() == flow.Established {
		timeout = trackedTimeouts.Established
	}
	return now-r.LastSeen > int64(timeout)
}

// reading takes a flow's counters as they are at a time, and decides the flow
// anew if an answer is another one than before.
func (w *worker) reading(r *flow.Record, t *tally, now int64, before measure) {
	t.read(now, r.FirstSeen, w.config.Interval)
	after := t.measure(r.FirstSeen)
	if after.packets[total] > before.packets[total] {
		r.LastSeen = max(r.LastSeen, now)
	}
	if w.policy.watch == nil || !w.policy.watch.changed(&before, &after) {
		return
	}
	w.load(r, &w.facts)
	w.decide(r, &w.facts)
}

// take copies conntrack's figures; where nothing is counted
// (net.netfilter.nf_conntrack_acct) what was seen stays.
func (t *tally) take(c *flow.Connection) {
	t.mark = c.Mark
	n := c.Sent.Packets + c.Returned.Packets
	if n == 0 {
		return
	}
	t.taken, t.entry = n, c.ID
	for i, has := range [2]flow.Counts{c.Sent, c.Returned} {
		t.counts[i] = t.past[i].Plus(has)
	}
}

// outlived says that a list, which was ordered at a time, may have the entry that is gone by now. One with the same
// number that has counted less is its successor, unless the last figures were announced, which are more than
// any list has.
func (t *tally) outlived(c *flow.Connection, at int64) bool {
	return t.newAt >= at && t.entry == c.ID && (t.gone || c.Sent.Packets+c.Returned.Packets >= t.taken)
}

// readConnection takes one entry of conntrack's list of decided connections.
func (w *worker) readConnection(c *flow.Connection, at int64) {
	id := w.known(&c.Orig)
	if id == 0 {
		return
	}
	r := w.table.At(id)
	if !r.Has(flow.Done) {
		return // the entry is of a connection before
	}
	if c.Closing && !r.Ended() {
		r.Set(flow.Closing)
		w.leave(r)
		w.table.Move(id, flow.Closed, w.clock.now)
	}
	seen := r.LastSeen
	w.sighted(r, at)
	late := r.Tally == 0 && (w.policy.counts || at-r.FirstSeen > int64(w.config.Interval))
	t := w.tallyOf(r)
	if t != nil && t.outlived(c, at) {
		return
	}
	if t != nil {
		w.renew(t, c, at)
		w.deduct(r, t, c)
	}
	switch {
	case t == nil: // the policies changed meanwhile
	case c.Closing:
		taken := t.taken
		t.take(c) // for the record; what is over is not decided anew
		if t.taken == taken && w.tellsEnds() {
			w.conclude(r, record.ReasonClosed)
			w.table.Remove(id)
			return
		}
	default:
		before := t.measure(r.FirstSeen)
		if t.take(c); late {
			t.start(at) // nobody asked when it began
		}
		w.reading(r, t, at, before)
	}
	if t != nil && (t.counts != t.told || r.LastSeen != seen) {
		w.walks.touch(id)
	}
	if t != nil && w.policy.ledger == nil {
		t.told = t.counts // an aggregate that comes counts from then on
	}
}

// known is the flow of conntrack's tuple of a connection's first direction, 0
// if there is none.
func (w *worker) known(t *flow.Tuple) flow.ID {
	k, _ := trackedKey(t)
	return w.table.Find(&k)
}
