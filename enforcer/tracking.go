package enforcer

import (
	"context"
	"errors"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
)

// Tracker lists the connections that the kernel tracks whose mark under mask is
// value: all, with an empty mask. Each connection is valid during its call; an
// error of each ends the list and is returned.
type Tracker interface {
	Connections(value, mask uint32, each func(*flow.Connection) error) error
}

const (
	// listBatch connections are handed to the worker at a time, listAhead such
	// batches may wait: 100,000 connections in the 100 ms that an idle worker
	// sleeps would be 400, and the list's reader waits for the rest.
	listBatch = 256
	listAhead = 64
)

// errAbandoned ends a list that nobody reads any more.
var errAbandoned = errors.New("the engine stops")

// purpose says what a list is made for.
type purpose uint8

const (
	forAdoption purpose = iota // all connections, when the engine begins and after a reload
	forReading                 // the counters of those that are decided
)

// wish is the worker's order of a list.
type wish struct {
	purpose     purpose
	value, mask uint32
}

// listed is part of an answer.
type listed struct {
	list []flow.Connection
	last bool
	err  error // of the list as a whole; valid iff last
}

// lister reads lists of connections beside the packet path: a million take two
// seconds. The worker owns everything but the channels.
type lister struct {
	wishes  chan wish
	batches chan listed
	spare   chan []flow.Connection // read batches, for reuse
	busy    bool
	wish    wish
	at      int64 // engine's time of the wish
}

// newLister starts reading from a tracker until ctx ends.
func newLister(ctx context.Context, t Tracker) *lister {
	l := &lister{
		wishes: make(chan wish, 1), batches: make(chan listed, listAhead),
		spare: make(chan []flow.Connection, listAhead),
	}
	go l.serve(ctx, t)
	return l
}

func (l *lister) serve(ctx context.Context, t Tracker) {
	for {
		select {
		case <-ctx.Done():
			return
		case wish := <-l.wishes:
			l.answer(ctx, t, wish)
		}
	}
}

// answer sends one list to the worker, batch by batch.
func (l *lister) answer(ctx context.Context, t Tracker, wish wish) {
	batch := l.empty()
	send := func(b listed) error {
		select {
		case l.batches <- b:
			return nil
		case <-ctx.Done():
			return errAbandoned
		}
	}
	err := t.Connections(wish.value, wish.mask, func(c *flow.Connection) error {
		batch = append(batch, *c)
		if len(batch) < listBatch {
			return nil
		}
		full := batch
		batch = l.empty()
		return send(listed{list: full})
	})
	_ = send(listed{list: batch, last: true, err: err})
}

func (l *lister) empty() []flow.Connection {
	select {
	case b := <-l.spare:
		return b[:0]
	default:
		return make([]flow.Connection, 0, listBatch)
	}
}

// order asks for a list, unless one is being read.
func (l *lister) order(wish wish, now int64) (ok bool) {
	if l.busy {
		return false
	}
	l.busy, l.wish, l.at = true, wish, now
	l.wishes <- wish
	return true
}

// track orders the lists that are due and works on those that came. While
// packets wait it takes one batch only.
func (w *worker) track() {
	l := w.lister
	if l == nil {
		return
	}
	if !w.adopted {
		w.adopted = l.order(wish{purpose: forAdoption}, w.clock.now)
	}
	interval := int64(w.config.Interval)
	if w.dueAt == 0 {
		w.dueAt = (w.clock.now/interval + 1) * interval
	}
	if (w.policy.counts || len(w.placed) > 0) && w.clock.now >= w.dueAt {
		done := w.policy.doneMark
		if l.order(wish{purpose: forReading, value: done, mask: done}, w.clock.now) {
			w.dueAt = (w.clock.now/interval + 1) * interval
			w.stats.Readings++
		}
	}
	for l.busy {
		select {
		case b := <-l.batches:
			w.takeBatch(l, b)
			if w.pending() {
				return
			}
		default:
			return
		}
	}
}

func (w *worker) takeBatch(l *lister, b listed) {
	for i := range b.list {
		switch l.wish.purpose {
		case forAdoption:
			w.adopt(&b.list[i], l.at)
		case forReading:
			w.readConnection(&b.list[i], l.at)
		}
	}
	select {
	case l.spare <- b.list:
	default:
	}
	if !b.last {
		return
	}
	l.busy = false
	switch {
	case b.err != nil:
		w.listFailed(b.err)
	case l.wish.purpose == forReading:
		w.missed(l.at)
		w.vanished(l.at)
	}
}

// listFailed counts, and logs the 1st, 2nd, 4th... failure.
func (w *worker) listFailed(err error) {
	w.stats.ReadingErrors++
	if n := w.stats.ReadingErrors; n&(n-1) == 0 {
		w.config.Logger.Warn("read connections", "err", err, "failures", n)
	}
}

// trackedKey is the key that packets of a connection have here: conntrack
// tells more protocols apart by ports than packet headers are read for. fromB
// says that the tuple's source is B.
func trackedKey(t *flow.Tuple) (k flow.Key, fromB bool) {
	bare := *t
	switch t.Proto {
	case packet.ProtoTCP, packet.ProtoUDP, packet.ProtoUDPLite, packet.ProtoSCTP, packet.ProtoICMP, packet.ProtoICMPv6:
	default:
		bare.SrcPort, bare.DstPort = 0, 0
	}
	return flow.KeyOfTuple(bare)
}
