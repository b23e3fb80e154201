package enforcer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/netpol/netpol/enforcer/classify"
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/announce"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kpi"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/enforcer/slab"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/lang/fact"
)

const (
	// batch is how many packets may pass between two looks at timers, asks and
	// the policy, and how many updates may wait to be sent.
	batch = 64
	// expireSlice and sweepSlice bound how many flows are ended or decided anew
	// between two batches, so that neither holds packets up.
	expireSlice = 64
	sweepSlice  = 256
)

// worker owns the packet path of a lane. Everything in it belongs to the
// goroutine that runs it.
type worker struct {
	config    *Config // the lane's
	engine    *Engine
	lane      int
	crew      *crew // nil for one that works alone, in tests
	scheduler *dissect.Scheduler
	pending   func() bool

	policy  *policy
	machine *program.Machine
	early   *program.Machine // nil when headers alone decide nothing
	waiting *waiting         // nil when no policy holds
	nothing program.Verdict
	table   *flow.Table
	buffers flow.Buffers
	flows   lease // of what table may hold; of nothing for one that works alone
	memory  lease // of what buffers may hold
	names   *classify.Names
	store   *factStore

	openings    slab.Slab[opening]
	losses      lossSource // nil where nothing can be lost unseen
	lost        uint64     // packets, when it was looked at last
	lostAt      int64      // engine's time at which that grew; 0 never
	unwritten   uint64     // updates that were lost, when they were looked at last
	healed      int64      // engine's time at which conntrack was listed for them
	interfaces  []string   // by traits.iface
	interfaceOf map[string]uint16
	macs        macTable
	traits      traitStore
	moved       bool // the packet at hand told of its flow's ends or translation

	raw           *packet.Raw // the packet at hand
	parsed        *packet.Parsed
	single, stale captured  // where it is unless it was read ahead; stale has a fragment without the others
	ahead         *ahead    // nil where packets come one at a time
	key           *aheadKey // of w.parsed, if it was looked up ahead
	at            flow.ID   // that the packet at hand belongs to, 0 for none
	held          held
	// fragments of datagrams that are not whole yet.
	fragments packet.Fragments
	window    dissect.Window
	recent    [flow.MaxDatagrams + 1]dissect.Datagram
	facts     fact.Facts      // scratch
	recalled  *flow.Record    // the flow in inspection that facts are of, while a packet of it is at hand
	announced []announce.Flow // scratch
	splits    splits
	record    telemetry.Flow // scratch

	clock    clock
	file     string
	unsent   int
	sweep    flow.ID // next record to decide anew after a reload
	sweeping bool

	earlier       map[*flow.Record][2]flow.Counts // what adopted flows had carried before
	before        map[flow.Key]before             // what those had that have not shown themselves
	noted         bool                            // before is complete
	notified      map[*flow.Record][]uint64       // who was told of which policies, by notice.names
	told          scratch
	readers       []reader // by sink, where one is told details once
	recitals      uint64   // how often that was done
	said          [saidSlots]saidSlot
	foretelling   bool             // what is told of a flow is not what the store has
	when          *program.Machine // conditions of sinks; nil without one
	tour          tour
	walks         walks
	endpoints     endpoints
	billing       billing
	ticks         bool  // something may be due at a time stamp of a capture file,
	tickAt        int64 // from this one on
	announcements []announcement
	audited       map[*flow.Record][16]byte // audit policies that were logged, by their label's bit
	tallies       slab.Slab[tally]
	traffic       traffic
	sorts         bool // somebody is told of traffic
	kpis          kpi.Book
	asksKPIs      bool // records or aggregates tell kpis
	measures      bool // or somebody looks at flows
	fares         bool // the ledger is told how flows fare
	healths       slab.Slab[health]
	lister        *lister // nil where conntrack cannot be asked
	adopted       bool    // conntrack was asked for what it has, under the policies at hand
	dueAt         int64   // when counters are to be read next; 0 in a file that has not begun
	readBefore    int64   // when those of a capture file were read last
	heart         *heart  // nil when nobody waits for it
	keeper        *keeper // nil when flows are not put into sets
	placed        map[*flow.Record]*placement
	wanted        []place // scratch
	stats         Stats
	fileErrs      []error
}

func newWorker(e *Engine, lane int) *worker {
	w := &worker{
		config: laneConfig(&e.config, lane), engine: e, lane: lane, scheduler: e.scheduler,
		store:       newFactStore(),
		interfaces:  make([]string, 1),
		interfaceOf: make(map[string]uint16),
		macs:        newMACTable(),
		traits:      newTraitStore(e.seed),
		audited:     make(map[*flow.Record][16]byte),
		earlier:     make(map[*flow.Record][2]flow.Counts),
		before:      make(map[flow.Key]before),
		notified:    make(map[*flow.Record][]uint64),
		placed:      make(map[*flow.Record]*placement),
		pending:     func() bool { return true },
	}
	if s, ok := w.config.Source.(interface{ Pending() bool }); ok {
		w.pending = s.Pending
	}
	if s, ok := w.config.Source.(lossSource); ok && e.config.Live {
		w.losses = s
	}
	w.ahead = newAhead(w.config.Source)
	w.raw, w.parsed = &w.single.raw, &w.single.parsed
	w.held.by, _ = w.config.Source.(Holder)
	if e.config.Live {
		w.clock.read = e.config.clock
		w.clock.begin()
	}
	w.buffers.Limit = w.config.MaxBuffers
	w.setPolicy(e.policy.Load())
	w.reset()
	return w
}

// reset forgets all flows and names: a new capture file is another world.
func (w *worker) reset() {
	timeouts := fileTimeouts
	if w.config.Live {
		timeouts = liveTimeouts
	}
	w.table = flow.NewTable(w.config.MaxFlows, w.engine.seed, timeouts, func(_ flow.ID, r *flow.Record) {
		w.stats.FlowsEvicted++
		w.crowded(r)
		w.conclude(r, record.ReasonEvicted)
	})
	if w.names = w.engine.names; w.names == nil {
		w.names = classify.NewNames(w.config.MaxNames, 1)
	}
	w.file, w.sweeping = "", false
	if !w.config.Live {
		w.clock.now, w.dueAt, w.tallies, w.kpis, w.healths, w.splits = 0, 0, slab.Slab[tally]{}, kpi.Book{}, slab.Slab[health]{}, splits{}
		w.readBefore = 0
		w.walk(w.policy)
	}
}

// run is the packet loop.
func (w *worker) run(ctx context.Context) error {
	for n := batch - 1; ; { // of packets and ends of files
		got, err := w.next(batch - n%batch)
		n += max(got, 1)
		switch {
		case err == nil:
			if n%batch != 0 && !w.held.full() && w.pending() {
				continue
			}
		case errors.Is(err, packet.ErrIdle):
			w.idle()
		default:
			if end, err := w.sourceEnd(err); end {
				return err
			}
		}
		if ctx.Err() != nil {
			w.drain()
			return w.fileError()
		}
		w.between()
	}
}

// idle has an engine without packets look at the time.
func (w *worker) idle() {
	if !w.config.Live {
		w.clock.now = max(w.clock.now, time.Now().UnixNano()) // a file that is still written
	}
}

// sourceEnd handles the end of a file or of the source; end says that the
// loop is over.
func (w *worker) sourceEnd(err error) (end bool, _ error) {
	var fe *packet.FileError
	switch {
	case errors.Is(err, packet.ErrFileEnd):
		w.finish()
		return false, nil
	case errors.As(err, &fe):
		w.stats.FileErrors++
		w.fileErrs = append(w.fileErrs, err)
		w.finish()
		return false, nil
	case errors.Is(err, io.EOF):
		w.finish()
		return true, w.fileError()
	}
	w.drain()
	return true, errors.Join(w.fileError(), fmt.Errorf("read packets: %w", err))
}

func (w *worker) fileError() error { return errors.Join(w.fileErrs...) }

// finish ends all flows with their input, in the order in which they began.
func (w *worker) finish() {
	w.giveUp(math.MaxInt64)
	w.endpoints = endpoints{} // nobody is told of them any more
	w.table.Slice(0, math.MaxInt, func(id flow.ID, r *flow.Record) {
		w.conclude(r, reasonOf(r, record.ReasonStopped))
		if w.config.Live {
			w.table.Remove(id)
		}
	})
	w.unbill()
	w.flush()
	if !w.config.Live {
		w.reset() // with a table of its own
	}
	w.publish()
}

// drain stops in the middle: records are made, but flows in inspection are not
// decided, so that the next process can go on with them.
func (w *worker) drain() {
	clear(w.placed) // what is in sets stays there, like labels
	w.table.Slice(0, math.MaxInt, func(id flow.ID, r *flow.Record) {
		loaded := w.charge(r, w.clock.now)
		w.report(r)
		w.tellEnd(r, reasonOf(r, record.ReasonStopped), loaded)
		w.release(r)
		w.table.Remove(id)
	})
	w.unbill()
	w.flush()
}

// between does what must not wait for long, and what need not be done at every
// packet.
func (w *worker) between() {
	w.clock.look()
	w.noteLoss()
	w.noteUnsure()
	w.heart.offer(w.lane, w.clock.now, w.policy.beats)
	w.flush()
	w.fit()
	if p := w.engine.policy.Load(); p != w.policy {
		w.reload(p)
	}
	if w.sweeping {
		w.resweep()
	}
	w.bidFarewell()
	w.track()
	w.round()
	if w.config.Live {
		w.lookAway()
		w.bill()
		w.announce()
	}
	ended := w.table.Expire(w.clock.now, expireSlice, w.expire)
	w.keeper.settle()
	w.publish()
	for {
		select {
		case fn := <-w.engine.asks[w.lane]:
			fn(w)
			continue
		default:
		}
		break
	}
	w.flush()
	if (ended == expireSlice || w.underWay()) && !w.pending() {
		w.engine.wake(w.lane) // without packets it would sleep between two slices
	}
}

// underWay says that a walk over flows has not come to its end.
func (w *worker) underWay() bool {
	return w.sweeping || len(w.tour.on) > 0 || w.config.Live && (w.billing.until != 0 || len(w.announcements) > 0)
}

// expire handles a flow that was silent for its class's timeout: inspection
// ends first, the flow itself later.
func (w *worker) expire(id flow.ID, r *flow.Record) {
	if r.Class() == flow.Opening {
		w.settle(id, r)
		return
	}
	w.conclude(r, reasonOf(r, record.ReasonExpired))
	w.table.Remove(id)
}

// publish lets other goroutines see the counters.
func (w *worker) publish() {
	w.stats.Flows = uint64(w.table.Len())
	w.stats.Opening = uint64(w.openings.Used())
	w.stats.NoBuffer = w.buffers.Refused()
	w.stats.Buffered = uint64(w.buffers.Out())
	if w.crew != nil {
		w.crew.placed[w.lane].Store(int64(len(w.placed)))
	}
	if w.lane == 0 { // what is everybody's is told by one
		w.stats.Names = uint64(w.names.Len())
		w.stats.Beats, w.stats.BeatErrors = w.heart.counts()
		w.keeper.count(&w.stats)
	}
	w.engine.mu.Lock()
	w.engine.stats[w.lane] = w.stats
	w.engine.mu.Unlock()
}

// flush sends the updates that wait, and lets the packets go on that waited for
// them.
func (w *worker) flush() {
	// Their connections can be written on once they have passed.
	w.releases(&w.held.fresh)
	w.send()
	w.releases(&w.held.known)
}

// send sends the updates that wait.
func (w *worker) send() {
	if w.unsent == 0 || w.config.Labels == nil {
		return
	}
	w.unsent = 0
	if err := w.config.Labels.Flush(); err != nil {
		w.sinkFailed(err)
	}
}

// sinkFailed counts, and logs the 1st, 2nd, 4th, 8th... failure: a broken sink
// must not flood the log.
func (w *worker) sinkFailed(err error) {
	w.stats.WriteErrors++
	if n := w.stats.WriteErrors; n&(n-1) == 0 {
		w.config.Logger.Error("write labels", "err", err, "failures", n)
	}
}
