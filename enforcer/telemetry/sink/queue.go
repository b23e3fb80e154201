package sink

import (
	"sync"

	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// queue holds records that wait for a sink, at most so many bytes of them. Its two
// buffers change places when a reader takes what waits, so nothing is copied and
// nothing allocated while they are large enough. Safe for concurrent use, by one
// reader.
type queue struct {
	limit  int
	encode func(b []byte, r record.Record, room int) []byte // of a sink's own queue
	batch  int                                              // how many bytes make a good write
	wake   chan struct{}                                    // something waits
	heap   chan struct{}                                    // so much that it makes a good write
	half   chan struct{}                                    // so much that it is half full

	mu      sync.Mutex
	waiting []byte
	scratch []byte
	lines   uint64 // taken in
	full    uint64 // that found no room
	turns   uint64 // how often what waited was taken
}

// newQueue makes a queue of so many bytes. reserve says that they are taken
// from the start.
func newQueue(limit int, reserve bool) *queue {
	q := &queue{
		limit: limit, batch: limit / 2,
		wake: make(chan struct{}, 1), heap: make(chan struct{}, 1), half: make(chan struct{}, 1),
	}
	if reserve {
		q.waiting = make([]byte, 0, limit)
	}
	return q
}

// roomy is how much room there must be for a record to be made where it waits. What is longer
// than that is made elsewhere if the buffer would have to grow for it: that may be a copy of
// all that waits.
const roomy = 64 << 10

// put takes a record in, unless there is no room or the sink is told of none of its kind.
func (q *queue) put(r record.Record) (taken bool) {
	q.mu.Lock()
	lines := q.lines
	q.admit(r)
	taken = q.lines > lines
	q.mu.Unlock()
	q.rouse()
	return taken
}

// admission is what became of a record that is to be followed.
type admission struct {
	none bool   // the sink is told of no records of its kind
	full bool   // there was no room
	turn uint64 // the one of taking in which it is taken
}

// follow takes a record in and says where it is.
func (q *queue) follow(r record.Record) admission {
	q.mu.Lock()
	lines, full := q.lines, q.full
	q.admit(r)
	out := admission{none: q.lines == lines && q.full == full, full: q.full > full, turn: q.turns + 1}
	q.mu.Unlock()
	q.rouse()
	return out
}

// admit does put's work under its lock.
func (q *queue) admit(r record.Record) {
	room, have := q.limit-len(q.waiting), len(q.waiting)
	if room >= roomy && cap(q.waiting)-have >= roomy {
		if with := q.encode(q.waiting, r, room); len(with) > have {
			q.taken(with, 1)
		}
	} else if q.scratch = q.encode(q.scratch[:0], r, room); len(q.scratch) > 0 {
		q.add(q.scratch, 1)
	}
}

// putLines takes whole lines in; false says that there is no room for them.
func (q *queue) putLines(lines []byte) bool {
	q.mu.Lock()
	ok := q.add(lines, 1)
	q.mu.Unlock()
	q.rouse()
	return ok
}

func (q *queue) add(lines []byte, n uint64) bool {
	if len(q.waiting)+len(lines) > q.limit {
		q.full += n
		return false
	}
	return q.taken(append(q.waiting, lines...), n)
}

// taken has what waited, and n records behind it, wait.
func (q *queue) taken(with []byte, n uint64) bool {
	if len(with) > q.limit {
		q.full += n
		return false
	}
	q.waiting = with
	if len(q.waiting) > q.batch {
		rouse(q.heap)
	}
	if len(q.waiting) > q.limit/2 {
		rouse(q.half)
	}
	q.lines += n
	return true
}

func (q *queue) rouse() { rouse(q.wake) }

func rouse(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// used is how many bytes wait.
func (q *queue) used() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

func (q *queue) halfFull() bool { return q.used() > q.limit/2 }

// take gives what waits and takes spare, a buffer that is no longer needed, for
// what comes.
func (q *queue) take(spare []byte) []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	lines := q.waiting
	q.waiting = spare[:0]
	q.turns++
	return lines
}

func (q *queue) turn() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.turns
}

func (q *queue) counts() (lines, full uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lines, q.full
}
