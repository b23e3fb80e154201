package enforcer

import (
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
	w.kpis.Observe(&t.kpi, w.parsed, end, w.raw.Timestamp)
}

// quality fills in how a flow fared.
func (w *worker) quality(to *record.Quality, r *flow.Record, f *fact.Facts) {
	*to = record.Quality{}
	if r.Tally == 0 || !w.kpis.Report(w.tallies.At(r.Tally).kpi, &w.told.kpis) {
		return
	}
	k := &w.told.kpis
	to.KPI = record.KPI{Packets: k.Packets, AppResponse: k.AppResponse, TLSHandshake: k.TLSHandshake}
	if k.HasTCP || f.Protocol == "quic" {
		to.KPI.RTTServer, to.KPI.RTTClient = k.RTTServer, k.RTTClient
	}
	// The ends of the key, by the side that they are.
	local, other := 0, 1
	if r.Has(flow.ClientIsB) != (f.Origin == fact.OriginOther) {
		local, other = 1, 0
	}
	if k.HasTCP {
		to.TCP = tcpQuality(&k.TCP, local, other)
	}
	switch {
	case r.Key.Proto != packet.ProtoUDP:
	case f.Protocol == "dns" || f.Protocol == "dns-tunnel" || f.Protocol == "llmnr":
		d := &k.DNS
		to.KPI.DNSQueries, to.KPI.DNSAnswers, to.KPI.DNSResponse, to.KPI.DNSLongest = d.Queries, d.Answers, d.Response, d.ResponseMax
	case carriesRTP(f.Protocol) && k.RTP != [2]kpi.RTP{}:
		l, o := &k.RTP[local], &k.RTP[other]
		to.RTP = record.RTP{
			LocalPackets: l.Packets, LocalLost: l.Lost, LocalJitter: l.Jitter, LocalJitterMax: l.JitterMax,
			OtherPackets: o.Packets, OtherLost: o.Lost, OtherJitter: o.Jitter, OtherJitterMax: o.JitterMax,
		}
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
