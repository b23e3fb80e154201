package enforcer

import (
	"crypto/sha1"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kpi"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/lang/fact"
)

// scratch is the memory that records are made in. They refer to it until the
// next one is made.
type scratch struct {
	flow             record.Flow
	stats            record.FlowStats
	end              record.FlowEnd
	match            record.PolicyMatch
	fresh            record.Detail // of a flow of which more is told than is kept
	outline          fact.Facts
	labels, policies []string
	to               []int
	kpis             kpi.Report
	hosts            []record.Endpoint
	addresses        []netip.Addr // of hosts
}

// tellFlow tells sinks that a flow has a name, or another one.
func (w *worker) tellFlow(kind record.Kind, r *flow.Record, f *fact.Facts, policies []int) {
	to := w.takers(kind, f)
	if len(to) == 0 {
		return
	}
	t := &w.told
	t.flow.FlowHead = w.head(kind, f)
	w.detail(&t.flow.Flow, r, f, policies)
	w.recite(to, r, &t.flow, &t.flow.Flow)
}

// tellEnd tells sinks that a flow is over, of which all may be loaded already.
func (w *worker) tellEnd(r *flow.Record, why record.Reason, loaded bool) {
	if !w.tellsEnds() {
		return
	}
	f, k := &w.facts, w.heldBefore(r)
	switch {
	case loaded:
	case k != nil:
		f = w.outline(r, k)
	default:
		w.load(r, f)
	}
	to := w.takers(record.KindFlowEnd, f)
	if len(to) == 0 {
		return
	}
	var policies []int
	if k != nil {
		policies = k.policies
	} else {
		w.saidOf(r, f) // so that there is a place to remember them
		policies = w.holding(r, f)
	}
	t := &w.told
	t.end.FlowHead, t.end.Reason = w.head(record.KindFlowEnd, f), why
	w.detail(&t.end.Flow.Detail, r, f, policies)
	w.counters(&t.end.Flow.Counters, r, f)
	w.quality(&t.end.Flow.Quality, r, f)
	w.recite(to, r, &t.end, &t.end.Flow.Detail)
}

// tellsEnds says that a sink is told how flows end.
func (w *worker) tellsEnds() bool {
	return w.config.Outlets != nil && w.policy.audience.asked.Has(record.KindFlowEnd)
}

// notify tells sinks of policies that ask for it when they match a flow: each
// sink once in the flow's life, as soon as the flow meets its condition. Of
// adopted flows an earlier process has told.
func (w *worker) notify(r *flow.Record, f *fact.Facts, policies []int) {
	a := w.policy.audience
	if w.config.Outlets == nil || len(a.notices) == 0 || r.Has(flow.Adopted) {
		return
	}
	for _, id := range policies {
		if n, ok := a.notices[id]; ok {
			w.tellMatch(&n, r, f, policies)
		}
	}
}

func (w *worker) tellMatch(n *notice, r *flow.Record, f *fact.Facts, policies []int) {
	t := &w.told
	t.to = t.to[:0]
	told, passing := w.notified[r], w.passing(f)
	for i, sink := range n.sinks {
		if slices.Contains(told, n.names[i]) || w.policy.audience.sinks[sink].conditional && !slices.Contains(passing, sink) {
			continue
		}
		told = append(told, n.names[i])
		t.to = append(t.to, sink)
	}
	if len(t.to) == 0 {
		return
	}
	w.notified[r] = told
	w.stats.Notified++
	evidence := t.match.Policy.Evidence[:0]
	for _, a := range n.asks {
		evidence = append(evidence, record.Attribute{Name: fact.Attributes[a].Name, Value: w.machine.Text(f, a)})
	}
	t.match.FlowHead, t.match.Policy = w.head(record.KindPolicyMatch, f), n.record
	t.match.Policy.Evidence = evidence
	w.detail(&t.match.Flow, r, f, policies)
	w.offer(t.to, &t.match)
}

// takers are the sinks that a record of the flow goes to. The list is valid
// until the next call.
func (w *worker) takers(kind record.Kind, f *fact.Facts) []int {
	a := w.policy.audience
	w.told.to = w.told.to[:0]
	if w.config.Outlets == nil || !a.asked.Has(kind) {
		return w.told.to
	}
	passing := w.passing(f)
	for i, s := range a.sinks {
		if s.kinds.Has(kind) && (!s.conditional || slices.Contains(passing, i)) {
			w.told.to = append(w.told.to, i)
		}
	}
	return w.told.to
}

// passing are the sinks whose conditions the flow meets, among those with one.
func (w *worker) passing(f *fact.Facts) []int {
	if w.when == nil {
		return nil
	}
	return w.when.Eval(f).Policies
}

func (w *worker) offer(to []int, r record.Record) {
	w.stats.Records++
	for _, i := range to {
		w.config.Outlets.Offer(i, r)
	}
}

func (w *worker) head(kind record.Kind, f *fact.Facts) record.FlowHead {
	return record.FlowHead{
		Head: record.Head{Type: kind, SchemaVersion: record.SchemaVersion, Timestamp: w.millis(w.clock.now)},
		// Where neither side is local, the one that opened the flow counts as it.
		Interface: f.Interface, Input: w.config.Input, Internal: f.Origin != fact.OriginOther, PCAP: w.file,
	}
}

// millis is the wall clock's time of a time on the engine's clock, in
// milliseconds since the Unix epoch.
func (w *worker) millis(t int64) int64 { return w.clock.wall(t) / int64(time.Millisecond) }

// digest names a flow: by its tuple and when it began. Live it is salted, so
// that it does not give away addresses which a sink is not told.
func (w *worker) digest(r *flow.Record) record.Digest {
	var b [55]byte // the most that one block of SHA-1 holds (FIPS 180-4, 5.1.1)
	copy(b[:], r.Key.A[:])
	copy(b[16:], r.Key.B[:])
	binary.BigEndian.PutUint16(b[32:], r.Key.APort)
	binary.BigEndian.PutUint16(b[34:], r.Key.BPort)
	binary.BigEndian.PutUint16(b[36:], r.Key.VLAN&0xfff|uint16(r.Key.IPVersion)<<12)
	b[38] = r.Key.Proto
	binary.BigEndian.PutUint64(b[39:], uint64(r.FirstSeen))
	if w.config.Live {
		binary.BigEndian.PutUint64(b[47:], w.engine.seed)
	}
	return sha1.Sum(b[:])
}

// digestOf is a flow's digest, which is made once where more than one record has it: neither the
// tuple nor when the flow began changes while it has a tally.
func (w *worker) digestOf(r *flow.Record) record.Digest {
	if r.Tally == 0 || !w.policy.audience.repeats {
		return w.digest(r)
	}
	t := w.tallies.At(r.Tally)
	if [4]byte(t.digest[:]) == [4]byte{} { // or it begins so, and is made once more
		t.digest = w.digest(r)
	}
	return t.digest
}

// brief fills in which flow it is.
func (w *worker) brief(to *record.Brief, r *flow.Record) {
	to.Digest, to.LastSeenAt, to.DetectionPackets = w.digestOf(r), w.millis(r.LastSeen), int(r.NamedAt)
}

// detail fills in what is known of a flow.
func (w *worker) detail(to *record.Detail, r *flow.Record, f *fact.Facts, policies []int) {
	t, traits := &w.told, w.traitsOf(r)
	t.policies = t.policies[:0]
	for _, id := range policies {
		t.policies = append(t.policies, w.policy.bundle.Policies[id].Name)
	}
	t.labels = w.policy.labelNames(t.labels[:0], &traits.labels)
	*to = *w.saidOf(r, f)
	w.brief(&to.Brief, r)
	to.FirstSeenAt = w.millis(r.FirstSeen)
	to.IPVersion, to.IPProtocol, to.IPDSCP, to.IPNAT, to.VLANID = f.IPVersion, f.IPProtocol, f.IPDSCP, f.IPNAT, f.VLANID
	to.LocalOrigin = f.Origin != fact.OriginOther
	to.LocalIP, to.LocalMAC, to.LocalPort = f.LocalIP, f.LocalMAC, f.LocalPort
	to.OtherIP, to.OtherMAC, to.OtherPort = f.OtherIP, f.OtherMAC, f.OtherPort
	to.OtherType = strings.TrimPrefix(f.OtherType, "other_")
	to.Updated, to.Policies, to.Labels = r.Has(flow.Renamed), t.policies, t.labels
	to.Conntrack.Mark = traits.mark
	w.entry(&to.Conntrack, r, f)
}

// entry fills in what conntrack's entry of a flow has besides its mark.
func (w *worker) entry(to *record.Conntrack, r *flow.Record, f *fact.Facts) {
	if r.Tally != 0 {
		to.ID = w.tallies.At(r.Tally).entry
	}
	if !f.IPNAT {
		return
	}
	to.ReplySrcIP, to.ReplyDstIP = f.CTReplySrcIP, f.CTReplyDstIP
	if a := w.table.AliasOf(r); a != nil && f.SrcPort != 0 {
		client, server := a.Key.Ends(a.ClientIsB)
		to.ReplySrcPort, to.ReplyDstPort = int(server.Port()), int(client.Port())
	}
}

// counters fills in what a flow has carried. Without a tally only both sides
// together are known.
func (w *worker) counters(to *record.Counters, r *flow.Record, f *fact.Facts) {
	*to = record.Counters{TotalPackets: uint64(r.Packets), TotalBytes: r.Bytes}
	if r.Tally == 0 {
		return
	}
	t := w.tallies.At(r.Tally)
	local, other := 0, 1 // the client's and the server's side
	if f.Origin == fact.OriginOther {
		local, other = 1, 0
	}
	to.LocalBytes, to.LocalPackets, to.LocalRate = t.counts[local].Bytes, t.counts[local].Packets, t.rate[local]
	to.OtherBytes, to.OtherPackets, to.OtherRate = t.counts[other].Bytes, t.counts[other].Packets, t.rate[other]
	to.TotalBytes, to.TotalPackets = to.LocalBytes+to.OtherBytes, to.LocalPackets+to.OtherPackets
	if earlier, ok := w.earlier[r]; ok {
		to.Earlier = record.Carried{
			LocalBytes: earlier[local].Bytes, LocalPackets: earlier[local].Packets,
			OtherBytes: earlier[other].Bytes, OtherPackets: earlier[other].Packets,
		}
	}
}

// reasonOf is why a flow is over: that it was closed, if it was.
func reasonOf(r *flow.Record, otherwise record.Reason) record.Reason {
	if r.Ended() {
		return record.ReasonClosed
	}
	return otherwise
}
