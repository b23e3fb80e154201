package enforcer

import (
	"math"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kpi"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/lang/fact"
)

// observe has the packet at hand measured. Live these are the packets that the gate
// lets by: the first, and all of an interface that is read whole.
func (w *worker) observe(t *tally, r *flow.Record, fromClient bool) {
	end := 0
	if fromClient == r.Has(flow.ClientIsB) {
		end = 1
	}
	if !w.fares {
		if t.health != 0 {
			w.healths.Release(t.health)
			t.health = 0
		}
		w.kpis.Observe(&t.kpi, w.parsed, end, w.raw.Timestamp)
		return
	}
	h := w.healthOf(t)
	if took := w.kpis.Observe(&t.kpi, w.parsed, end, w.raw.Timestamp); took != 0 {
		w.answered(r, h, took)
	}
}

// measured is what was measured of a flow, without what only looks like something that its protocol has,
// and which end is the local side; false where nothing was.
func (w *worker) measured(k *kpi.Report, r *flow.Record, f *fact.Facts) (local int, ok bool) {
	if r.Tally == 0 || !w.kpis.Report(w.tallies.At(r.Tally).kpi, k) {
		return 0, false
	}
	if !k.HasTCP && f.Protocol != "quic" {
		k.RTTServer, k.RTTClient = 0, 0
	}
	if !isDNS(r, f) {
		k.DNS = kpi.DNS{}
	}
	if r.Key.Proto != packet.ProtoUDP || !carriesRTP(f.Protocol) {
		k.RTP = [2]kpi.RTP{}
	}
	if r.Has(flow.ClientIsB) != (f.Origin == fact.OriginOther) {
		local = 1
	}
	return local, true
}

// isDNS says that a flow's datagrams are messages of DNS.
func isDNS(r *flow.Record, f *fact.Facts) bool {
	return r.Key.Proto == packet.ProtoUDP && (f.Protocol == "dns" || f.Protocol == "dns-tunnel" || f.Protocol == "llmnr")
}

// quality fills in how a flow fared.
func (w *worker) quality(to *record.Quality, r *flow.Record, f *fact.Facts) {
	*to = record.Quality{}
	k := &w.told.kpis
	local, ok := w.measured(k, r, f)
	if !ok {
		return
	}
	other, d := 1-local, &k.DNS
	to.KPI = record.KPI{
		Packets: k.Packets, RTTServer: k.RTTServer, RTTClient: k.RTTClient, AppResponse: k.AppResponse, TLSHandshake: k.TLSHandshake,
		DNSQueries: d.Queries, DNSAnswers: d.Answers, DNSResponse: d.Response, DNSLongest: d.ResponseMax,
	}
	if k.HasTCP {
		to.TCP = tcpQuality(&k.TCP, local, other)
	}
	l, o := &k.RTP[local], &k.RTP[other]
	to.RTP = record.RTP{
		LocalPackets: l.Packets, LocalLost: l.Lost, LocalJitter: l.Jitter, LocalJitterMax: l.JitterMax,
		OtherPackets: o.Packets, OtherLost: o.Lost, OtherJitter: o.Jitter, OtherJitterMax: o.JitterMax,
	}
}

func tcpQuality(t *kpi.TCP, local, other int) record.TCP {
	both := func(n [2]uint32) uint64 { return uint64(n[0]) + uint64(n[1]) }
	return record.TCP{
		Seen:    true,
		Retrans: both(t.Retransmissions), Resets: both(t.Resets), SeqErrors: both(t.OutOfOrder), ZeroWindows: both(t.ZeroWindows),
		LocalRetrans: uint64(t.Retransmissions[local]), OtherRetrans: uint64(t.Retransmissions[other]),
		LocalSeqError: uint64(t.OutOfOrder[local]), OtherSeqError: uint64(t.OutOfOrder[other]),
	}
}

// carriesRTP says that datagrams that look like RTP's are, in a flow of a protocol: its own, and
// those that share a port with it (RFC 7983).
func carriesRTP(protocol string) bool {
	switch protocol {
	case "rtp", "srtp", "rtcp", "stun", "turn", "dtls":
		return true
	}
	return false
}

// fillMeasured sets the attributes that say how a flow has fared so far. Its protocol and sides must be known
// already.
func (w *worker) fillMeasured(f *fact.Facts, r *flow.Record) {
	k := &w.told.kpis
	if _, ok := w.measured(k, r, f); !ok {
		return
	}
	t := &k.TCP
	f.MeasuredPackets = atMost(k.Packets, math.MaxInt)
	f.TCPRetransmissions, f.TCPSequenceErrors = bothOf(t.Retransmissions), bothOf(t.OutOfOrder)
	f.TCPResets, f.TCPZeroWindows = bothOf(t.Resets), bothOf(t.ZeroWindows)
	f.RTTServer, f.RTTClient, f.AppResponse = micros(k.RTTServer), micros(k.RTTClient), micros(k.AppResponse)
	f.TLSHandshake, f.DNSResponse = micros(k.TLSHandshake), micros(k.DNS.Response)
	for i := range k.RTP {
		side := &k.RTP[i]
		f.RTPJitter = max(f.RTPJitter, micros(side.Jitter))
		if sent := side.Packets + side.Lost; sent > 0 {
			f.RTPLoss = max(f.RTPLoss, int((100*side.Lost+sent-1)/sent))
		}
	}
}

// micros is a time as an attribute: int has 32 bits on some routers.
func micros(n uint32) int { return atMost(uint64(n), math.MaxInt32) }

func bothOf(n [2]uint32) int { return atMost(uint64(n[0])+uint64(n[1]), math.MaxInt32) }
