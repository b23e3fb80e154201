package enforcer

import "sync/atomic"

// budget is what is bounded for all workers together. Each has a part that is its own,
// so that a flood on one lane leaves room on the rest, and leases more of what is
// common, a piece at a time: a busy worker may use what others do not, and none asks
// for a packet.
type budget struct {
	piece int
	free  atomic.Int64 // of what is common
}

const (
	// ownPart is how much of its even share a worker keeps in any case: half.
	ownPart = 2
	// leasePieces is how many leases there are of a bound for all. A worker asks
	// between batches of packets, so a piece should hold what one of them begins.
	leasePieces = 64
)

// newBudget shares a bound out among lanes: own is each one's part.
func newBudget(bound, lanes int) (b *budget, own int) {
	own = max(1, bound/lanes/ownPart)
	b = &budget{piece: max(1, bound/leasePieces, min(batch, bound/lanes/ownPart))}
	b.free.Store(int64(max(0, bound-own*lanes)))
	return b, own
}

// take gives a piece, or what is left of one.
func (b *budget) take() int {
	for {
		free := b.free.Load()
		n := min(free, int64(b.piece))
		if n <= 0 {
			return 0
		}
		if b.free.CompareAndSwap(free, free-n) {
			return int(n)
		}
	}
}

// lease is what one worker may use. It belongs to that worker. The zero value is of
// nothing.
type lease struct {
	of       *budget
	own, has int
}

// fit makes the lease hold what is used and half a piece more, where there is that
// much, gives back what has not been used for long enough to be two pieces, and says
// how much there may be.
func (l *lease) fit(used int) int {
	for l.has-used < (l.of.piece+1)/2 {
		n := l.of.take()
		if n == 0 {
			break
		}
		l.has += n
	}
	if spare := l.has - max(used, l.own); spare > 2*l.of.piece {
		give := min(spare-l.of.piece, l.has-l.own)
		l.has -= give
		l.of.free.Add(int64(give))
	}
	return l.has
}

// fit goes over to what the worker may use by now.
func (w *worker) fit() {
	if w.flows.of != nil {
		w.table.Bound(w.flows.fit(w.table.Len()))
		w.buffers.Limit = w.memory.fit(w.buffers.Out())
	}
}

// full says that one more flow would crowd out another.
func (w *worker) full() bool {
	if w.table.Full() {
		w.fit()
	}
	return w.table.Full()
}
