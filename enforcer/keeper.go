package enforcer

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/pulse"
)

// ElementSink changes the elements of the kernel's sets. All its methods are
// called by one goroutine, and may take their time.
type ElementSink interface {
	// Write makes the changes, of which there are at most a thousand, and tells
	// of those that sets did not take. The others are made.
	Write([]artifact.MemberChange) []artifact.MemberFault
	// Lives is how long an element lives that nobody renews; 0 is for ever, or
	// not known.
	Lives(*artifact.FlowSet) time.Duration
	Flush(*artifact.FlowSet) error
}

const (
	// elementBatch is how many changes are written at a time: nobody else can
	// change rules meanwhile, for 14 ms (enforcer/kernel/flowset, BenchmarkWrite).
	elementBatch = 1000
	// renewAtMost and renewAtLeast bound how far renewals lie apart. Sets without
	// a time to live are renewed as well: their owner may have emptied them.
	renewAtMost, renewAtLeast = 5 * time.Minute, 5 * time.Second
	// elementRetry is after how long a set that did not take something is given
	// all of its elements again.
	elementRetry = 30 * time.Second
	// maxArrivals bounds what waits while the kernel is busy. Flows that come
	// then stay out of their sets.
	maxArrivals = 1 << 18
)

// arrival is a flow that comes into a set, or leaves it.
type arrival struct {
	place
	set    *artifact.FlowSet // of one that comes
	leaves bool
	kept   bool // stays if it is there, and is not put there
}

// keeper keeps the elements of flows in the kernel's sets as long as a flow has
// them, beside the packet path, because nftables may keep its caller waiting.
type keeper struct {
	sink ElementSink
	log  *slog.Logger
	wake chan struct{}
	done chan struct{} // closed when the last change is written

	mu      sync.Mutex // guards what follows
	waiting []arrival
	sets    []artifact.FlowSet  // of the newest bundle; nil when it is known
	of      *artifact.Bundle    // the newest
	renewal []string            // FlowSet.ID of those to be given all of their elements again
	faults  map[string]SetFault // what sets do not take now, by set and kind
	held    map[string]int      // elements by FlowSet.ID, written and not refused

	offered  atomic.Bool   // since the last flush
	refused  atomic.Uint64 // arrivals that found no room
	written  atomic.Uint64
	failed   atomic.Uint64 // changes that sets did not take
	elements atomic.Uint64 // now

	// What follows is run's own.
	book *book
	used map[string]artifact.FlowSet
}

func newKeeper(ctx context.Context, sink ElementSink, log *slog.Logger) *keeper {
	k := &keeper{
		sink: sink, log: log, wake: make(chan struct{}, 1), done: make(chan struct{}),
		book: newBook(sink.Lives), faults: make(map[string]SetFault), held: make(map[string]int), used: make(map[string]artifact.FlowSet),
	}
	go k.run(ctx)
	return k
}

// offer hands over an arrival. It never waits.
func (k *keeper) offer(a arrival) {
	k.mu.Lock()
	if len(k.waiting) >= maxArrivals && !a.leaves {
		k.refused.Add(1)
	} else {
		k.waiting = append(k.waiting, a)
	}
	k.mu.Unlock()
	k.offered.Store(true)
}

// use goes over to a bundle's sets: those of an earlier one that it has as well
// are given all of their elements again. Each worker calls it for each bundle.
func (k *keeper) use(b *artifact.Bundle) {
	if k == nil {
		return
	}
	k.mu.Lock()
	if k.of != b {
		k.of, k.sets = b, append([]artifact.FlowSet{}, b.FlowSets...)
	}
	k.mu.Unlock()
	k.flush()
}

// flush has what waits written soon.
func (k *keeper) flush() {
	if k == nil {
		return
	}
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// settle has what was offered written soon. It is called between batches of packets,
// where waking somebody for nothing costs more than the packets.
func (k *keeper) settle() {
	if k != nil && k.offered.Load() && k.offered.Swap(false) {
		k.flush()
	}
}

// count tells what was done.
func (k *keeper) count(s *Stats) {
	if k != nil {
		s.Elements, s.ElementWrites, s.ElementErrors, s.ElementsShed = k.elements.Load(), k.written.Load(), k.failed.Load(), k.refused.Load()
	}
}

func (k *keeper) run(ctx context.Context) {
	defer close(k.done)
	for {
		select {
		case <-ctx.Done():
			k.work(time.Now())
			k.end()
			return
		case <-k.wake:
		case <-pulse.NextIf(k.expects()):
		}
		k.work(time.Now())
	}
}

// expects says that something may be due later: elements to renew, sets to try again,
// faults to forget.
func (k *keeper) expects() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.book.sets) > 0 || len(k.book.retryA) > 0 || len(k.faults) > 0
}

// work takes what came and writes what is due.
func (k *keeper) work(now time.Time) {
	k.mu.Lock()
	arrivals, sets, renewal := k.waiting, k.sets, k.renewal
	k.waiting, k.sets, k.renewal = nil, nil, nil
	k.mu.Unlock()
	if sets != nil {
		k.begin(sets)
		k.book.renewAll()
	}
	for _, id := range renewal {
		k.book.renew(id)
	}
	for _, a := range arrivals {
		k.book.take(a, now)
	}
	for {
		changes := k.book.next(now, elementBatch)
		if len(changes) == 0 {
			break
		}
		k.write(changes, now)
	}
	k.elements.Store(uint64(len(k.book.kept)))
	k.mu.Lock()
	maps.Copy(k.held, k.book.held)
	k.forget(now)
	k.mu.Unlock()
}

// begin notes the sets and empties those that are to begin empty.
func (k *keeper) begin(sets []artifact.FlowSet) {
	for _, s := range sets {
		if _, known := k.used[s.ID()]; !known && s.FlushOnCreate {
			k.empty(&s)
		}
		k.used[s.ID()] = s
	}
}

// end empties the sets that are to end empty.
func (k *keeper) end() {
	for _, s := range k.used {
		if s.FlushOnDestroy {
			k.empty(&s)
		}
	}
}

func (k *keeper) empty(s *artifact.FlowSet) {
	if err := k.sink.Flush(s); err != nil {
		k.log.Warn("empty set", "set", s.ID(), "err", err)
	}
}

// write makes changes, and counts and logs what sets did not take: each kind of
// fault of a set once, until the set takes something again.
func (k *keeper) write(changes []artifact.MemberChange, now time.Time) {
	refused := k.sink.Write(changes)
	k.written.Add(uint64(len(changes)))
	k.mu.Lock()
	defer k.mu.Unlock()
	bad := make(map[string]bool)
	for _, f := range refused {
		id := f.Set.ID()
		bad[id] = true
		k.failed.Add(uint64(f.Count))
		k.book.retry(id, now.Add(elementRetry))
		key := id + " " + string(f.Kind)
		fault, again := k.faults[key]
		if !again {
			fault = SetFault{Set: id, Kind: f.Kind, WayOut: wayOut(f), Since: now}
			k.log.Warn("set did not take flows", "set", id, "fault", f.Kind, "err", f.Err, "flows", f.Count, "way_out", fault.WayOut)
		}
		fault.Err, fault.Last = f.Err, now
		fault.Count += uint64(f.Count)
		k.faults[key] = fault
	}
	for _, c := range changes {
		if id := c.Set.ID(); !bad[id] && c.Op == artifact.MemberPut {
			k.healed(id)
			bad[id] = true // once is enough
		}
	}
}
