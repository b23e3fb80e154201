package enforcer

import (
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
)

// adopt takes in a connection that conntrack lists, when the engine begins and
// after each reload. Of one that was there before the engine the name was never
// seen here, so what the kernel has on it counts:
//
//   - one with the done mark was decided by an earlier process and keeps what
//     cannot be decided anew; what headers decide is put right;
//   - one without, of which the gate shows no more packets, is decided on its
//     headers, as a flow is whose packets ran out;
//   - the others show themselves by their next packets.
//
// What is over, or not for the gate, is left out. Of a flow that was decided here
// the kernel's labels and mark are put right.
func (w *worker) adopt(c *flow.Connection, listed int64) {
	if c.Closing || c.Orig.Src.IsLoopback() || c.Zone != 0 {
		return
	}
	id := w.known(&c.Orig)
	if id != 0 && w.table.At(id).Has(flow.Done) {
		w.correct(w.table.At(id), c, listed)
		return
	}
	if id == 0 {
		w.noteBefore(c)
	}
	if answersPass(&c.Orig) {
		return
	}
	decided := c.Mark&w.policy.doneMark != 0
	packets := c.Sent.Packets + c.Returned.Packets
	if id == 0 {
		if !decided && packets < uint64(w.policy.gate) {
			return
		}
		if id = w.insertAdopted(c); id == 0 {
			return
		}
	}
	r := w.table.At(id)
	w.carries(r, c)
	if decided {
		w.inherit(id, r)
		w.correct(r, c, listed)
	} else if packets >= uint64(w.policy.gate) {
		r.Inspected = max(r.Inspected, 1) // it has carried something
		w.settle(id, r)
	}
}

// before is what a connection that the engine does not know yet had carried when the engine
// began to count, in which entry of conntrack's.
type before struct {
	entry  uint32
	counts [2]flow.Counts
}

// noteBefore remembers what a connection has carried that may show itself by its next packets: an
// earlier process has told of that. Of those that come later it is all theirs.
func (w *worker) noteBefore(c *flow.Connection) {
	if w.noted || !w.policy.counts || len(w.before) >= w.config.MaxFlows || c.Sent.Packets+c.Returned.Packets == 0 {
		return
	}
	k, _ := trackedKey(&c.Orig)
	w.before[k] = before{c.ID, [2]flow.Counts{c.Sent, c.Returned}}
}

// deduct leaves out of a flow's figures, which conntrack is about to give for the first time, what
// it had carried before the engine counted.
func (w *worker) deduct(r *flow.Record, t *tally, c *flow.Connection) {
	if t.taken != 0 || len(w.before) == 0 {
		return
	}
	b, ok := w.before[r.Key]
	if !ok {
		return
	}
	if delete(w.before, r.Key); b.entry != c.ID {
		return // its successor's figures begin anew
	}
	for i, n := range b.counts {
		t.told[i] = t.told[i].Plus(n)
		t.base[i] = n.Bytes
	}
	w.earlier[r] = b.counts
}

// carries notes what the kernel has on a connection of the bundle's.
func (w *worker) carries(r *flow.Record, c *flow.Connection) {
	t := *w.traitsOf(r)
	for i, own := range w.policy.ownLabels {
		t.labels[i] = c.Labels[i] & own
	}
	t.mark = c.Mark & w.policy.ownMark
	w.setTraits(r, &t)
	r.Clear(flow.Quiet)
	if c.Mark&w.policy.quietMark != 0 {
		r.Set(flow.Quiet)
	}
}

// correct decides a flow anew on what the kernel has on it, and writes where that
// is something else. What was told of it after the list was made, or shortly before,
// the list may not show.
func (w *worker) correct(r *flow.Record, c *flow.Connection, listed int64) {
	if r.Has(flow.Untracked) || !r.Has(flow.Adopted) && (!r.Has(flow.Told) || r.ToldAgo(listed) < onTheWay) {
		return
	}
	w.carries(r, c)
	if c.Mark&w.policy.doneMark == 0 {
		r.Clear(flow.Told) // the mark is another one now, or somebody took it away
	}
	before := w.stats.Writes
	w.load(r, &w.facts)
	w.decideOn(r, &w.facts, true)
	w.stats.Corrected += w.stats.Writes - before
}

// answersPass says that the gate shows the connection's answers even after it
// was decided (DNS): one that is not known here will be by them, better than by its entry.
func answersPass(t *flow.Tuple) bool { return t.Proto == packet.ProtoUDP && t.DstPort == 53 }

// inherit takes over what an earlier process decided.
func (w *worker) inherit(id flow.ID, r *flow.Record) {
	w.shut(r)
	r.Set(flow.Adopted)
	r.Decide(w.clock.now)
	r.Tell(w.clock.now)
	w.table.Move(id, w.class(r), w.clock.now)
}

// insertAdopted adds a record; 0 when there is no room without pushing out a
// flow that is known better.
func (w *worker) insertAdopted(c *flow.Connection) flow.ID {
	if w.full() {
		return 0
	}
	k, clientIsB := trackedKey(&c.Orig)
	id := w.table.Insert(&k, flow.Datagram, w.clock.now)
	r := w.table.At(id)
	if clientIsB {
		r.Set(flow.ClientIsB)
	}
	r.SetICMP(c.Orig.ICMPType, c.Orig.ICMPCode)
	r.Packets = uint32(c.Sent.Packets + c.Returned.Packets)
	r.Bytes = c.Sent.Bytes + c.Returned.Bytes
	if c.Start != 0 {
		r.FirstSeen = min(w.clock.of(c.Start), r.FirstSeen)
	}
	w.nameReplies(id, r, c)
	if t := w.tallyOf(r); t != nil {
		t.take(c)
		t.start(w.clock.now)
		w.earlier[r] = t.counts
	}
	w.stats.Adopted++
	return id
}

// nameReplies remembers the replies' addresses of a translated connection.
func (w *worker) nameReplies(id flow.ID, r *flow.Record, c *flow.Connection) {
	reply, serverIsB := trackedKey(&c.Reply)
	if reply == r.Key {
		return
	}
	r.Set(flow.Translated)
	w.table.Alias(&reply, id, !serverIsB)
}
