package enforcer

import (
	"math"
	"time"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kpi"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/lang/fact"
)

// tally is what has been counted of a flow, by Record.Tally. Only flows under a policy set that
// counts have one.
//
// What every packet reads comes first.
type tally struct {
	counts [2]flow.Counts // sent by the client, sent by the server
	taken  uint64         // how many packets conntrack had counted when it was read last
	kpi    kpi.Ref        // of what its packets showed of how it fares; 0 for nothing
	// The last reading: when, what had passed until then, and at what rate
	// since the reading before.
	readAt int64 // engine's time; 0 before the first
	base   [2]uint64
	rate   [2]uint64 // bytes a second
	mark   uint32
	health uint32 // what the ledger knows of how it fares; 0 for nothing
	// What the ledger was told of and when; in which entry conntrack counted taken.
	told    [2]flow.Counts
	past    [2]flow.Counts // of counts, what conntrack had counted in entries that are gone
	charged int64
	entry   uint32
	gone    bool          // conntrack has announced the end of the entry
	newAt   int64         // when that, or a packet, showed that there is or will be another one; 0 while nothing does
	lost    uint64        // packets that an entry with the same number had when it was read last, whose end is yet to be announced
	full    int64         // from when on, at the latest, the gate let no packet of the entry by; 0 while it may
	digest  record.Digest // of the flow's records, where it has more than one; zero before the first
	recited recital
}

// tallyOf gives the flow a tally if the policies ask for counters; nil if they
// do not.
func (w *worker) tallyOf(r *flow.Record) *tally {
	if r.Tally == 0 {
		if !w.counts() {
			return nil
		}
		r.Tally = w.tallies.Take()
	}
	return w.tallies.At(r.Tally)
}

// watchedFor is how long counters are kept for somebody who has looked at them.
const watchedFor = 20 * time.Second

// counts says that counters of flows are kept.
func (w *worker) counts() bool { return w.policy.counts || w.watching() }

// watching says that somebody looks at flows.
func (w *worker) watching() bool { return w.clock.now < w.engine.watched.Load() }

// count adds a packet. Live, conntrack's own figures replace what is
// counted here as soon as they are read, and from then on are all that counts.
func (t *tally) count(p *packet.Parsed, fromClient bool) {
	if t.taken != 0 {
		return
	}
	side := 1
	if fromClient {
		side = 0
	}
	t.counts[side].Packets++
	t.counts[side].Bytes += uint64(p.IPLength)
}

// measure is a tally in the terms of the attributes, by total, sent and
// returned.
type measure struct {
	rate, bytes, packets [3]int
	duration             int // seconds
}

// maxRate is the end of every range that programs have for a rate: "more than a"
// is up to here, because int has 32 bits on some routers.
const maxRate = math.MaxInt32

func atMost(n uint64, most int) int { return int(min(n, uint64(most))) }

func (t *tally) measure(firstSeen int64) (m measure) {
	var rate, bytes, packets uint64
	for i, c := range t.counts {
		rate, bytes, packets = rate+t.rate[i], bytes+c.Bytes, packets+c.Packets
		m.rate[i+1], m.bytes[i+1], m.packets[i+1] = atMost(t.rate[i], maxRate), atMost(c.Bytes, math.MaxInt), atMost(c.Packets, math.MaxInt)
	}
	m.rate[total], m.bytes[total], m.packets[total] = atMost(rate, maxRate), atMost(bytes, math.MaxInt), atMost(packets, math.MaxInt)
	if t.readAt != 0 {
		m.duration = int(max(t.readAt-firstSeen, 0) / int64(time.Second))
	}
	return m
}

// start begins an interval for a flow that has carried something before, no one
// knows when.
func (t *tally) start(now int64) {
	t.told = t.counts
	t.readAt, t.base = now, [2]uint64{t.counts[0].Bytes, t.counts[1].Bytes}
}

// owed is what the ledger was not told of yet; it has been after this. What was seen
// between two readings of conntrack may be more than the later one says: that makes
// nothing less.
func (t *tally) owed() (out [2]flow.Counts) {
	for i, now := range t.counts {
		told := &t.told[i]
		next := flow.Counts{Packets: max(now.Packets, told.Packets), Bytes: max(now.Bytes, told.Bytes)}
		out[i] = flow.Counts{Packets: next.Packets - told.Packets, Bytes: next.Bytes - told.Bytes}
		*told = next
	}
	return out
}

// read ends an interval. One that began between two readings, with the flow,
// counts as a whole one, so that a flow's first packets make no high rate of
// themselves.
func (t *tally) read(now, firstSeen int64, interval time.Duration) {
	since := t.readAt
	if since == 0 {
		since = firstSeen
	}
	elapsed := max(time.Duration(now-since), interval).Seconds()
	for i := range t.counts {
		t.rate[i] = 0
		if n := t.counts[i].Bytes; n > t.base[i] {
			t.rate[i] = uint64(float64(n-t.base[i]) / elapsed)
		}
		t.base[i] = t.counts[i].Bytes
	}
	t.readAt = now
}

// fillCounters sets the attributes that change with what a flow carries. The
// local side must be known already.
func (w *worker) fillCounters(f *fact.Facts, r *flow.Record) {
	if r.Tally == 0 || !w.config.Live && w.policy.watch == nil && !w.policy.audience.weighs {
		return // or records alone tell them, which read the tally: of a capture nobody asks in between
	}
	t := w.tallies.At(r.Tally)
	m := t.measure(r.FirstSeen)
	local, other := sent, returned
	if f.Origin == fact.OriginOther {
		local, other = returned, sent
	}
	f.TotalRate, f.SrcRate, f.DstRate, f.LocalRate, f.OtherRate = m.rate[total], m.rate[sent], m.rate[returned], m.rate[local], m.rate[other]
	f.TotalBytes, f.SrcBytes, f.DstBytes, f.LocalBytes, f.OtherBytes = m.bytes[total], m.bytes[sent], m.bytes[returned], m.bytes[local], m.bytes[other]
	f.TotalPackets, f.SrcPackets, f.DstPackets = m.packets[total], m.packets[sent], m.packets[returned]
	f.LocalPackets, f.OtherPackets = m.packets[local], m.packets[other]
	f.Duration = m.duration
	f.CTMark = int(t.mark &^ w.policy.bundle.Settings.OwnMark())
	if watch := w.policy.watch; watch != nil && watch.clock {
		now := time.Unix(0, w.clock.wall(w.clock.now)).In(w.policy.zone)
		f.TimeOfDay = now.Hour()*3600 + now.Minute()*60 + now.Second()
		f.Weekday = fact.Weekdays()[(int(now.Weekday())+6)%7]
	}
}
