package enforcer

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/lang/fact"
)

const (
	// maxHosts and maxAddresses bound what is told of endpoints at a time.
	maxHosts     = 4096
	maxAddresses = 32
	// hostsPerRecord keeps a record of endpoints below 64 KiB, as a rule.
	hostsPerRecord = 128
	// vanishSlice bounds how many flows are ended with one reading: 8192 take
	// some 20 ms.
	vanishSlice = 8192
)

// tour is a walk over all flows for what sinks are told at intervals.
type tour struct {
	due, since []int64 // by sink: when it is told again, and since when it was not
	on         []int   // the sinks of this walk; empty while there is none
	at         flow.ID // where to go on
	hosts      map[string][]netip.Addr
}

func newTour(p *policy) tour {
	n := len(p.audience.sinks)
	return tour{due: make([]int64, n), since: make([]int64, n)}
}

// round begins a walk when a sink is due, and goes on with one a little.
func (w *worker) round() {
	if !w.policy.audience.rounds || w.config.Outlets == nil {
		return
	}
	if len(w.tour.on) == 0 && !w.setOut(w.clock.now) {
		return
	}
	if w.tour.at = w.table.Slice(w.tour.at, sweepSlice, w.visit); w.tour.at == 0 {
		w.arrive()
	}
}

// roundAt makes a whole walk in a capture file, if one is due at a packet's
// time stamp.
func (w *worker) roundAt(stamp int64) {
	if !w.policy.audience.rounds || w.config.Outlets == nil {
		return
	}
	if w.clock.now == 0 {
		w.clock.now = stamp // the first packet
	}
	if !w.setOut(stamp) {
		return
	}
	w.table.Each(func(id flow.ID, r *flow.Record) bool { w.visit(id, r); return true })
	w.arrive()
}

// setOut notes the sinks that are due; false when none is.
func (w *worker) setOut(now int64) bool {
	t := &w.tour
	for i, s := range w.policy.audience.sinks {
		if s.kinds&periodic == 0 {
			continue
		}
		if t.due[i] == 0 {
			t.since[i], t.due[i] = now, now+s.interval
		}
		if now >= t.due[i] {
			t.on = append(t.on, i)
		}
	}
	t.at = 0
	return len(t.on) > 0
}

// visit tells the walk's sinks of a flow.
func (w *worker) visit(_ flow.ID, r *flow.Record) {
	t, a := &w.tour, w.policy.audience
	stats, hosts := false, false
	for _, i := range t.on {
		stats = stats || a.sinks[i].kinds.Has(record.KindFlowStats) && r.LastSeen > t.since[i]
		hosts = hosts || a.sinks[i].kinds.Has(record.KindEndpoints)
	}
	if hosts {
		t.meet(w.localHost(r))
	}
	if stats {
		w.load(r, &w.facts)
		w.tellStats(r, &w.facts)
	}
}

// localHost is the host on the local side of a flow, as fillSides has it: a walk over all flows has no time
// for all of their facts.
func (w *worker) localHost(r *flow.Record) (mac string, ip netip.Addr) {
	macs := w.traitsOf(r).mac
	if macs == [2]uint16{} {
		return "", ip
	}
	src, dst := r.Key.Ends(r.Has(flow.ClientIsB))
	local, end := src.Addr(), 0
	if w.policy.isLocal(dst.Addr()) && !w.policy.isLocal(local) {
		local, end = dst.Addr(), 1
	}
	if r.Has(flow.ClientIsB) {
		end = 1 - end
	}
	return w.macs.texts[macs[end]], local
}

// tellStats tells the walk's sinks what a flow has carried, if they do not know
// it yet.
func (w *worker) tellStats(r *flow.Record, f *fact.Facts) {
	known := func(i int) bool { return !slices.Contains(w.tour.on, i) || r.LastSeen <= w.tour.since[i] }
	to := slices.DeleteFunc(w.takers(record.KindFlowStats, f), known)
	if len(to) == 0 {
		return
	}
	s := &w.told.stats
	s.FlowHead = w.head(record.KindFlowStats, f)
	w.brief(&s.Flow.Brief, r, f)
	w.counters(&s.Flow.Counters, r, f)
	w.quality(&s.Flow.Quality, r, f)
	s.Whole = nil
	if slices.ContainsFunc(to, func(i int) bool { return w.policy.audience.sinks[i].whole }) {
		to = slices.Clone(to) // evaluating says anew whom it goes to
		s.Whole = &w.told.flow.Flow
		w.detail(s.Whole, r, f, w.eval(r, f).Policies)
	}
	w.offer(to, s)
}

// meet notes the host on the local side of a flow.
func (t *tour) meet(mac string, ip netip.Addr) {
	if mac == "" || !ip.IsValid() || ip.IsUnspecified() { // it asks who has its address, or for one
		return
	}
	if t.hosts == nil {
		t.hosts = make(map[string][]netip.Addr)
	}
	list, known := t.hosts[mac]
	if !known && len(t.hosts) >= maxHosts || len(list) >= maxAddresses || slices.Contains(list, ip) {
		return
	}
	t.hosts[mac] = append(list, ip)
}

// arrive ends a walk.
func (w *worker) arrive() {
	t := &w.tour
	w.tellHosts()
	for _, i := range t.on {
		interval := w.policy.audience.sinks[i].interval
		t.since[i] = t.due[i]
		if t.due[i] += interval; t.due[i] <= w.clock.now { // a gap without packets
			t.due[i] = w.clock.now + interval
		}
	}
	t.on, t.at, t.hosts = t.on[:0], 0, nil
}

// tellHosts tells of the endpoints of the walk, by hardware address.
func (w *worker) tellHosts() {
	var hosts []record.Endpoint
	for mac, list := range w.tour.hosts {
		slices.SortFunc(list, netip.Addr.Compare)
		hosts = append(hosts, record.Endpoint{MAC: mac, Addresses: list})
	}
	slices.SortFunc(hosts, func(a, b record.Endpoint) int { return strings.Compare(a.MAC, b.MAC) })
	for part := range slices.Chunk(hosts, hostsPerRecord) {
		e := &record.Endpoints{
			Head:  record.Head{Type: record.KindEndpoints, SchemaVersion: record.SchemaVersion, Timestamp: w.millis(w.clock.now)},
			Hosts: part,
		}
		for _, i := range w.tour.on {
			if w.policy.audience.sinks[i].kinds.Has(record.KindEndpoints) {
				w.config.Outlets.Offer(i, e)
			}
		}
	}
}

// vanished ends the flows that two whole lists of conntrack in a row did not
// have: the last was ordered at a time. Without anybody who is told of ends they
// time out by themselves.
func (w *worker) vanished(at int64) {
	if !w.tellsEnds() {
		return
	}
	left := vanishSlice
	w.table.Each(func(id flow.ID, r *flow.Record) bool {
		if r.Tally == 0 || !r.Has(flow.Done|flow.Told) || at-max(w.tallies.at(r.Tally).readAt, r.ToldAt) < 2*int64(w.config.Interval) {
			return true
		}
		w.conclude(r, reasonOf(r, record.ReasonExpired))
		w.table.Remove(id)
		left--
		return left > 0
	})
}
