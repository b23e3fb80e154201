package enforcer

import (
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kpi"
	"github.com/netpol/netpol/enforcer/telemetry/aggregate"
	"github.com/netpol/netpol/lang/fact"
)

// health is what the ledger was told of how a flow fares. Flows have one that were measured while an
// aggregate asks for it.
type health struct {
	told    kpi.Report
	charged int64 // when it was told of some last; 0 for never
	// How long answers of DNS took that came since; one more than there is room for has the flow
	// charged before.
	answers [8]uint32
	waiting int
}

// healthOf is a flow's health, before the packet at hand is measured. What was measured before an aggregate
// asked is none of its business.
func (w *worker) healthOf(t *tally) *health {
	if t.health == 0 {
		t.health = w.healths.Take()
		w.kpis.Report(t.kpi, &w.healths.At(t.health).told)
	}
	return w.healths.At(t.health)
}

// answered notes how long an answer of DNS took.
func (w *worker) answered(r *flow.Record, h *health, took uint32) {
	if h.waiting == len(h.answers) {
		at := w.clock.now
		if w.billing.until != 0 {
			at = w.billing.until // the interval that is being charged has it
		}
		w.charge(r, at)
		h.waiting = 0 // of another protocol than DNS they are no answers
	}
	h.answers[h.waiting] = took
	h.waiting++
}

// ails says that more has been measured of a flow than the ledger knows.
func (w *worker) ails(t *tally) bool {
	return w.fares && t.health != 0 && uint64(w.kpis.Packets(t.kpi)) != w.healths.At(t.health).told.Packets
}

// fared is how a flow has fared since the ledger was told last; it has been after this. It is valid
// until the next call.
func (w *worker) fared(r *flow.Record, t *tally, f *fact.Facts) *aggregate.Health {
	out := &w.billing.health
	*out = aggregate.Health{Times: out.Times[:0]}
	k := &w.told.kpis
	local, ok := w.measured(k, r, f)
	if !ok {
		return nil
	}
	h := w.healths.At(t.health)
	told := &h.told
	grow(out, aggregate.MeasuredPackets, &told.Packets, k.Packets)
	took(out, aggregate.RTTServer, &told.RTTServer, k.RTTServer)
	took(out, aggregate.RTTClient, &told.RTTClient, k.RTTClient)
	took(out, aggregate.AppResponse, &told.AppResponse, k.AppResponse)
	took(out, aggregate.TLSHandshake, &told.TLSHandshake, k.TLSHandshake)
	if k.HasTCP {
		out.Figures[aggregate.TCPPackets] = out.Figures[aggregate.MeasuredPackets]
		growTCP(out, &told.TCP, &k.TCP, local)
	}
	grow(out, aggregate.DNSQueries, &told.DNS.Queries, k.DNS.Queries)
	grow(out, aggregate.DNSAnswers, &told.DNS.Answers, k.DNS.Answers)
	if isDNS(r, f) {
		for _, micros := range h.answers[:h.waiting] {
			out.Times = append(out.Times, aggregate.Time{Of: aggregate.DNSResponse, Micros: micros})
		}
		h.waiting = 0
	}
	growRTP(out, aggregate.LocalRTP, &told.RTP[local], &k.RTP[local])
	growRTP(out, aggregate.OtherRTP, &told.RTP[1-local], &k.RTP[1-local])
	return out
}

// grow adds what a figure has become more.
func grow[T uint32 | uint64](out *aggregate.Health, at aggregate.Figure, told *T, now T) {
	if now > *told {
		out.Figures[at] += uint64(now - *told)
		*told = now
	}
}

// took adds a time that was not known before. A connection on the same ports has another.
func took(out *aggregate.Health, of aggregate.Measure, told *uint32, now uint32) {
	if now != 0 && now != *told {
		out.Times = append(out.Times, aggregate.Time{Of: of, Micros: now})
		*told = now
	}
}

func growTCP(out *aggregate.Health, told, now *kpi.TCP, local int) {
	other := 1 - local
	grow(out, aggregate.LocalRetrans, &told.Retransmissions[local], now.Retransmissions[local])
	grow(out, aggregate.OtherRetrans, &told.Retransmissions[other], now.Retransmissions[other])
	grow(out, aggregate.LocalSeqErrors, &told.OutOfOrder[local], now.OutOfOrder[local])
	grow(out, aggregate.OtherSeqErrors, &told.OutOfOrder[other], now.OutOfOrder[other])
	for i := range now.Resets {
		grow(out, aggregate.Resets, &told.Resets[i], now.Resets[i])
		grow(out, aggregate.ZeroWindows, &told.ZeroWindows[i], now.ZeroWindows[i])
	}
}

// growRTP adds what one side's streams have become more. One that comes late was lost until then, and
// stays so for the ledger; a stream that begins anew counts from there.
func growRTP(out *aggregate.Health, at aggregate.Figure, told, now *kpi.RTP) {
	if now.Packets != 0 && now.Packets < told.Packets {
		told.Packets, told.Lost = 0, 0
	}
	grow(out, at, &told.Packets, now.Packets)
	grow(out, at+1, &told.Lost, now.Lost)
	if now.JitterPackets > told.JitterPackets && now.JitterSum >= told.JitterSum {
		sum, packets := now.JitterSum-told.JitterSum, now.JitterPackets-told.JitterPackets
		out.Times = append(out.Times, aggregate.Time{
			Of: aggregate.Jitter, Micros: uint32(max(sum/float64(packets), 1)), Sum: uint64(sum), Packets: uint32(packets),
		})
	}
	told.JitterSum, told.JitterPackets = now.JitterSum, now.JitterPackets
}
