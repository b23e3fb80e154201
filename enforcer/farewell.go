package enforcer

import (
	"context"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// Ends announces connections that the kernel forgets, with what they have carried. Next waits for some and
// calls each for them; it fails when no more will come. It is asked to listen only while a sink is told how flows
// end, because announcing costs each connection on the forwarding path; what is lost, and connections that
// were there before, are found in lists.
type Ends interface {
	Listen(on bool) error
	Next(each func(*flow.Connection)) error
}

// farewellsAhead is how many announcements may wait for a worker, each of some connections.
const farewellsAhead = 256

// farewells hands announcements to the workers of their lanes.
type farewells []chan []flow.Connection

// newFarewells begins to hand on what is announced, until that ends.
func newFarewells(ctx context.Context, e *Engine, lanes int) farewells {
	var f farewells
	for range lanes {
		f = append(f, make(chan []flow.Connection, farewellsAhead))
	}
	go f.serve(ctx, e)
	return f
}

func (f farewells) serve(ctx context.Context, e *Engine) {
	lists := make([][]flow.Connection, len(f))
	for ctx.Err() == nil {
		err := e.config.Ends.Next(func(c *flow.Connection) {
			lane := 0
			if len(f) > 1 {
				lane = e.config.LaneOf(c)
			}
			lists[lane] = append(lists[lane], *c)
		})
		for lane, list := range lists {
			if len(list) == 0 {
				continue
			}
			select {
			case f[lane] <- list:
				e.wake(lane)
			default: // the next list of conntrack does without them
			}
			lists[lane] = nil
		}
		if err != nil {
			if ctx.Err() == nil {
				e.config.Logger.Warn("hear of the end of connections", "err", err)
			}
			return
		}
	}
}

// hearEnds has the kernel announce ends if the policies' sinks are told of them.
func (e *Engine) hearEnds(p *policy) {
	if e.config.Ends == nil {
		return
	}
	if err := e.config.Ends.Listen(e.config.Outlets != nil && p.audience.asked.Has(record.KindFlowEnd)); err != nil {
		e.config.Logger.Warn("ends of connections are told some seconds late", "err", err)
	}
}

// bidFarewell ends flows whose connections are over.
func (w *worker) bidFarewell() {
	if w.crew == nil || w.crew.farewells == nil {
		return
	}
	for {
		select {
		case list := <-w.crew.farewells[w.lane]:
			for i := range list {
				w.over(&list[i])
			}
			if w.pending() {
				return
			}
		default:
			return
		}
	}
}

// over takes in that the kernel has forgotten a connection, and what it had counted. One that carried something
// a moment ago and was not closed has been removed by somebody: its next packet makes a new entry, and it is still the flow
// that it was. If none comes, lists show that it is gone.
func (w *worker) over(c *flow.Connection) {
	id := w.known(&c.Orig)
	if id == 0 {
		return
	}
	r := w.table.At(id)
	if r.Tally == 0 {
		return
	}
	t := w.tallies.At(r.Tally)
	if t.precedes(c) {
		return
	}
	if t.gone || t.entry == 0 {
		w.renew(t, c, w.clock.now)
	}
	w.deduct(r, t, c)
	t.take(c)
	t.newAt, t.gone = w.clock.now, true
	if !r.Has(flow.Done) {
		return // more packets will show it
	}
	w.stats.EndsHeard++
	if r.Ended() || w.clock.now-r.LastSeen >= 2*int64(w.config.Interval) {
		w.conclude(r, reasonOf(r, record.ReasonExpired))
		w.table.Remove(id)
		return
	}
	w.charge(r, w.clock.now)
}

// precedes says that what is announced is the end of an entry before the one that was read last, and
// counts what nobody had read of it. Entries have the number of one that is gone
// mostly: it is made of the place in memory (nf_ct_get_id, net/netfilter/nf_conntrack_core.c).
func (t *tally) precedes(c *flow.Connection) bool {
	n := c.Sent.Packets + c.Returned.Packets
	switch {
	case t.entry == 0 || t.gone:
		return false // the end of the one that was read has been announced: this is a later one
	case t.entry != c.ID:
		return true
	case t.lost != 0 && n >= t.lost:
		t.lost = 0
		return true
	case n == 0 || n >= t.taken:
		return false
	}
	// It was taken for the one that was read, which has more by now, for its own.
	for i, had := range [2]flow.Counts{c.Sent, c.Returned} {
		t.past[i] = t.past[i].Plus(had)
		t.counts[i] = t.counts[i].Plus(had)
	}
	return true
}
