package enforcer

import (
	"context"
	"errors"
	"sync/atomic"

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

// wish is the order of a list, by the worker of the first lane for all.
type wish struct {
	purpose     purpose
	value, mask uint32
	at          int64 // engine's time
}

// listed is part of an answer: connections of one lane.
type listed struct {
	wish
	list []flow.Connection
	last bool
	err  error // of the list as a whole; valid iff last
}

// lister reads lists of connections beside the packet path: a million take two
// seconds. One list serves all workers, each of which gets its own lane's.
type lister struct {
	wishes  chan wish
	laneOf  func(*flow.Connection) int
	wake    func(lane int)         // has the lane's worker look at its batches
	batches []chan listed          // by lane
	spare   chan []flow.Connection // read batches, for reuse
	open    atomic.Int32           // workers that have not had the last batch of the list
}

// newLister starts reading from a tracker until ctx ends.
func newLister(ctx context.Context, t Tracker, lanes int, laneOf func(*flow.Connection) int, wake func(int)) *lister {
	l := &lister{wishes: make(chan wish, 1), laneOf: laneOf, wake: wake, spare: make(chan []flow.Connection, lanes*listAhead)}
	for range lanes {
		l.batches = append(l.batches, make(chan listed, listAhead))
	}
	if lanes == 1 {
		l.laneOf = func(*flow.Connection) int { return 0 }
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

// answer sends one list to the workers, batch by batch.
func (l *lister) answer(ctx context.Context, t Tracker, wish wish) {
	lists := make([][]flow.Connection, len(l.batches))
	for lane := range lists {
		lists[lane] = l.empty()
	}
	send := func(lane int, b listed) error {
		select {
		case l.batches[lane] <- b:
			l.wake(lane) // what a list says is soon out of date
			return nil
		case <-ctx.Done():
			return errAbandoned
		}
	}
	err := t.Connections(wish.value, wish.mask, func(c *flow.Connection) error {
		lane := l.laneOf(c)
		if lists[lane] = append(lists[lane], *c); len(lists[lane]) < listBatch {
			return nil
		}
		full := lists[lane]
		lists[lane] = l.empty()
		return send(lane, listed{wish: wish, list: full})
	})
	for lane := range lists {
		_ = send(lane, listed{wish: wish, list: lists[lane], last: true, err: err})
	}
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
func (l *lister) order(wish wish) (ok bool) {
	if !l.open.CompareAndSwap(0, int32(len(l.batches))) {
		return false
	}
	l.wishes <- wish
	return true
}

// track works on lists that came. While packets wait it takes one batch only.
func (w *worker) track() {
	l := w.lister
	if l == nil {
		return
	}
	if w.lane == 0 {
		w.orderLists(l)
	}
	for {
		select {
		case b := <-l.batches[w.lane]:
			w.takeBatch(l, b)
			if w.pending() {
				return
			}
		default:
			return
		}
	}
}

// orderLists orders the lists that are due.
func (w *worker) orderLists(l *lister) {
	if !w.adopted && w.crew.agree(w.policy) {
		w.adopted = l.order(wish{purpose: forAdoption, at: w.clock.now})
	}
	interval := int64(w.config.Interval)
	if w.dueAt == 0 {
		w.dueAt = (w.clock.now/interval + 1) * interval
	}
	if (w.counts() || w.crew.places()) && w.clock.now >= w.dueAt {
		done := w.policy.doneMark
		if l.order(wish{purpose: forReading, value: done, mask: done, at: w.clock.now}) {
			w.dueAt = (w.clock.now/interval + 1) * interval
			w.stats.Readings++
		}
	}
}

func (w *worker) takeBatch(l *lister, b listed) {
	for i := range b.list {
		switch b.purpose {
		case forAdoption:
			w.adopt(&b.list[i], b.at)
		case forReading:
			w.readConnection(&b.list[i], b.at)
		}
	}
	select {
	case l.spare <- b.list:
	default:
	}
	if !b.last {
		return
	}
	l.open.Add(-1)
	switch {
	case b.err != nil:
		if w.lane == 0 {
			w.listFailed(b.err)
		}
		if b.purpose == forAdoption { // another reading comes by itself
			w.crew.healAt.CompareAndSwap(0, w.clock.now+int64(w.config.Interval))
		}
	case b.purpose == forAdoption:
		w.noted = w.noted || w.policy.counts
	case b.purpose == forReading:
		w.billing.readAt = b.at
		w.missed(b.at)
		w.vanished(b.at)
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
