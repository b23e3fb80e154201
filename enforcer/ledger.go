package enforcer

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry/aggregate"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/lang/fact"
)

// ledger adds up what the flows of all workers carry, for a bundle's aggregates.
// An interval of an aggregate is over when each worker has charged all of its flows
// at or after its end. Times are the engine's.
type ledger struct {
	of    []artifact.Aggregate
	first int // the condition of the first aggregate, among those of sinks
	// health says that an aggregate asks how flows fare.
	health bool
	// byPolicy says that an aggregate tells policies apart.
	byPolicy bool

	mu       sync.Mutex // guards what follows
	accounts []*aggregate.Account
	start    []int64 // by aggregate, of the interval at hand; 0 before the first
	due      []int64 // by aggregate, when it ends
	settled  []int64 // by lane, when all of its flows were charged last
	at       int     // workers that have begun with it, and not gone over to another bundle or stopped
}

// newLedger is nil when there is nothing to add up: neither has the bundle aggregates
// nor is there a meter.
func newLedger(b *artifact.Bundle, meter *artifact.Aggregate, seed uint64, lanes int) *ledger {
	of := slices.Clone(b.Aggregates)
	if meter != nil {
		of = append(of, *meter)
	}
	n := len(of)
	if n == 0 {
		return nil
	}
	l := &ledger{
		of: of, first: len(b.Sinks),
		start: make([]int64, n), due: make([]int64, n), settled: make([]int64, lanes),
	}
	for _, a := range of {
		l.health = l.health || a.Health
		l.byPolicy = l.byPolicy || slices.Contains(a.By, "policy")
		l.accounts = append(l.accounts, aggregate.New(a, seed))
	}
	return l
}

// interval is never zero, whatever the bundle says.
func (l *ledger) interval(i int) int64 { return int64(max(l.of[i].Interval, time.Second)) }

// open has a worker begin, and begins the first intervals, which end at whole ones of the wall clock, so that
// those of several routers can be laid side by side. step is the wall clock's time less the
// engine's.
func (l *ledger) open(now, step int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at++
	for i := range l.start {
		if l.start[i] == 0 {
			l.start[i], l.due[i] = now, l.whole(i, now, step)+l.interval(i)
		}
	}
}

// whole is the last whole interval of the wall clock at a time.
func (l *ledger) whole(i int, now, step int64) int64 {
	return (now+step)/l.interval(i)*l.interval(i) - step
}

// begin begins the interval after the one that is over, later where there was a gap without
// packets. Where the wall clock was set meanwhile it is half as long as others at least, and at
// most half as long again, to end at a whole one.
func (l *ledger) begin(i int, now, step int64) {
	l.start[i] = max(l.whole(i, now, step), l.due[i])
	l.due[i] = l.whole(i, l.start[i]+l.interval(i)/2, step) + l.interval(i)
}

// next is when the next interval ends.
func (l *ledger) next() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Min(l.due)
}

// charged is when a flow was charged last, 0 for never: with what it carries, and with how it fares.
type charged struct{ carried, fared int64 }

// add counts a sample of a flow that was charged before. passing are the conditions that
// it meets.
func (l *ledger) add(s *aggregate.Sample, passing []int, before charged) {
	carried := s.Counts != aggregate.Counts{}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, a := range l.accounts {
		if l.of[i].When != "" && !slices.Contains(passing, l.first+i) {
			continue
		}
		s.Counts.Flows = 0
		if carried && before.carried <= l.start[i] {
			s.Counts.Flows = 1
		}
		if s.Health != nil {
			s.Health.Figures[aggregate.Measured] = 0
			if before.fared <= l.start[i] {
				s.Health.Figures[aggregate.Measured] = 1
			}
		}
		if carried || l.of[i].Health {
			a.Add(s)
		}
	}
}

// settle notes that a lane's flows were all charged at a time, and ends the
// intervals that are over for all lanes.
func (l *ledger) settle(w *worker, at int64) {
	l.mu.Lock()
	l.settled[w.lane] = at
	all := slices.Min(l.settled)
	for i := range l.due {
		if all < l.due[i] {
			continue
		}
		l.close(w, i, l.due[i])
		l.begin(i, all, w.clock.step)
	}
	l.mu.Unlock()
	if !w.config.Live {
		w.announceAll()
	}
}

// leave ends the intervals at hand when the last worker leaves.
func (l *ledger) leave(w *worker) {
	defer w.announceAll()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at--; l.at > 0 {
		return
	}
	for i := range l.start {
		if l.start[i] != 0 {
			l.close(w, i, max(w.clock.now, l.start[i]))
		}
		l.start[i], l.due[i] = 0, 0
	}
}

// close ends an interval, of which the worker tells when it has time; the caller holds mu.
func (l *ledger) close(w *worker, i int, end int64) {
	a := l.accounts[i]
	w.stats.KeysShed += a.Evicted()
	head := record.Aggregate{
		Head: record.Head{Timestamp: w.millis(w.clock.now)}, StartAt: w.millis(l.start[i]), EndAt: w.millis(end),
		Input: w.config.Input, PCAP: w.file,
	}
	tell := func(r *record.Aggregate) { w.offer(l.of[i].Sinks, r) }
	if isMeter(&l.of[i]) {
		tell = w.engine.meter.take
	}
	w.announcements = append(w.announcements, announcement{a.Take(head), l, tell})
}

// billing is a worker's walk over its flows, to charge them at the end of an
// interval.
type billing struct {
	open   bool  // the ledger's intervals have begun
	until  int64 // the end that the walk is for; 0 while there is none
	began  int64
	at     flow.ID
	names  []string         // scratch
	health aggregate.Health // scratch
	// readAt is when the last whole list of connections was ordered.
	readAt int64
}

// bill begins a walk when an interval ends, and goes on with one a little. Where
// conntrack counts, it waits for what it had counted at the end.
func (w *worker) bill() {
	l, b := w.policy.ledger, &w.billing
	if l == nil {
		return
	}
	if !b.open {
		l.open(w.clock.now, w.clock.step)
		b.open = true
	}
	if b.until == 0 {
		due, now := l.next(), w.clock.now
		if now < due || w.lister != nil && b.readAt < due && now < due+2*int64(w.config.Interval) {
			return
		}
		b.until, b.began, b.at = due, now, 0
		w.walks.share()
	}
	if b.at = w.table.SliceOf(&w.walks.billing, b.at, sweepSlice, w.chargeWalked); b.at == 0 {
		b.until = 0
		l.settle(w, b.began)
	}
}

func (w *worker) chargeWalked(_ flow.ID, r *flow.Record) (again bool) {
	w.charge(r, w.billing.until)
	return false
}

// billAt makes a whole walk in a capture file, if an interval ends before a
// packet's time stamp.
func (w *worker) billAt(stamp int64) {
	l, b := w.policy.ledger, &w.billing
	if l == nil {
		return
	}
	if !b.open {
		l.open(stamp, 0)
		b.open = true
	}
	due := l.next()
	if stamp < due {
		return
	}
	w.clock.now = max(w.clock.now, due)
	b.until = due
	w.walks.share()
	w.table.SliceOf(&w.walks.billing, 0, math.MaxInt, w.chargeWalked)
	b.until = 0
	l.settle(w, stamp)
}

// unbill leaves the ledger.
func (w *worker) unbill() {
	if l := w.policy.ledger; l != nil && w.billing.open {
		l.leave(w)
	}
	w.billing = billing{names: w.billing.names, health: w.billing.health, readAt: w.billing.readAt}
}

// charge puts into the ledger what a flow has carried since it was charged last. It says whether
// it had to load what is known of the flow.
func (w *worker) charge(r *flow.Record, at int64) (loaded bool) {
	l := w.policy.ledger
	if l == nil || r.Tally == 0 || !w.billing.open {
		return false
	}
	t := w.tallies.At(r.Tally)
	owed, ails := t.owed(), w.ails(t)
	carried := owed != [2]flow.Counts{}
	if !carried && !ails {
		return false
	}
	s := w.sample(r)
	f := s.Facts
	local, other := owed[0], owed[1] // the client's and the server's side
	if f.Origin == fact.OriginOther {
		local, other = other, local
	}
	s.Counts = aggregate.Counts{
		LocalBytes: local.Bytes, LocalPackets: local.Packets, OtherBytes: other.Bytes, OtherPackets: other.Packets,
	}
	before := charged{carried: t.charged}
	if ails {
		h := w.healths.At(t.health)
		s.Health, before.fared, h.charged = w.fared(r, t, f), h.charged, at
	}
	l.add(&s, w.passing(f), before)
	if carried {
		t.charged = at
	}
	return f == &w.facts
}

// sample is a flow's sample without what it has carried. It loads what is known of the flow only if
// that has not been said before, or somebody asks for more.
func (w *worker) sample(r *flow.Record) aggregate.Sample {
	byPolicy, k := w.policy.ledger.byPolicy, w.heldBefore(r)
	if !byPolicy && w.when == nil {
		k = w.saidBefore(r)
	}
	var policies []int
	var s aggregate.Sample
	if k != nil {
		s.Facts, s.Application, s.Brand = w.outline(r, k), k.detail.ApplicationName, k.detail.BrandName
		policies = k.policies
	} else {
		s.Facts = &w.facts
		w.load(r, s.Facts)
		s.Application, _ = w.application(s.Facts)
		s.Brand = w.policy.classifier.Brand(s.Application)
		if byPolicy {
			policies = w.holding(r, s.Facts)
		}
	}
	if byPolicy {
		s.Policies = w.billing.names[:0]
		for _, id := range policies {
			s.Policies = append(s.Policies, w.policy.bundle.Policies[id].Name)
		}
		w.billing.names = s.Policies
	}
	return s
}

// renew notes that conntrack has begun to count a flow's connection anew, as it does after its
// entry was removed: what it had counted before is not in its figures any more.
func (w *worker) renew(t *tally, c *flow.Connection, at int64) {
	if t.taken >= uint64(w.policy.gate) && t.full == 0 {
		t.full = at
	}
	if t.newAt != 0 || t.taken != 0 && (c.ID != t.entry || c.Sent.Packets+c.Returned.Packets < t.taken) {
		if t.lost = 0; !t.gone && c.ID == t.entry {
			t.lost = t.taken
		}
		t.past, t.newAt, t.full, t.gone = t.counts, 0, 0, false
		for i, told := range t.told { // what was seen of an entry that nobody had read
			t.past[i] = flow.Counts{Packets: max(t.past[i].Packets, told.Packets), Bytes: max(t.past[i].Bytes, told.Bytes)}
		}
	}
}

// suspectNew notes that conntrack has a new entry for a flow of which the gate shows a
// packet, where the old one had carried more before than the gate lets by: a number
// may be used again, and the new entry's figures overtake the old one's.
func (w *worker) suspectNew(r *flow.Record) {
	if w.policy.ledger == nil || r.Tally == 0 {
		return
	}
	t := w.tallies.At(r.Tally)
	if t.newAt == 0 && t.full != 0 && w.clock.of(w.raw.Timestamp) > t.full {
		t.newAt = w.clock.now
	}
}
