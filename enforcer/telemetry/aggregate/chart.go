package aggregate

import "github.com/netpol/netpol/enforcer/telemetry/record"

// percentiles are those that records have.
var percentiles = [...]int{50, 95, 99}

// chart is the memory that the health of a record's rows is made in.
type chart struct {
	health []record.Health
	times  []record.Times
	counts []uint64
}

// reset has the memory used again.
func (c *chart) reset() {
	c.health, c.times, c.counts = c.health[:0], c.times[:0], c.counts[:0]
}

// of is a key's health as records have it, valid until the next reset; nil of no key.
func (c *chart) of(w *ward, key uint32) *record.Health {
	if key == 0 {
		return nil
	}
	k := w.keys.At(key)
	f := &k.figures
	c.health = append(c.health, record.Health{
		FlowCount: f[Measured], Packets: f[MeasuredPackets],
		TCP: record.HealthTCP{
			Packets: f[TCPPackets], Retrans: f[LocalRetrans] + f[OtherRetrans], Resets: f[Resets],
			SeqErrors: f[LocalSeqErrors] + f[OtherSeqErrors], ZeroWindows: f[ZeroWindows],
			LocalRetrans: f[LocalRetrans], OtherRetrans: f[OtherRetrans],
			LocalSeqErrors: f[LocalSeqErrors], OtherSeqErrors: f[OtherSeqErrors],
		},
		DNS: record.HealthDNS{Queries: f[DNSQueries], Answers: f[DNSAnswers]},
		RTP: record.HealthRTP{LocalPackets: f[LocalRTP], LocalLost: f[LocalRTPLost], OtherPackets: f[OtherRTP], OtherLost: f[OtherRTPLost]},
	})
	h := &c.health[len(c.health)-1]
	for i, to := range [measures]**record.Times{
		RTTServer: &h.RTTServer, RTTClient: &h.RTTClient, AppResponse: &h.AppResponse,
		TLSHandshake: &h.TLSHandshake, DNSResponse: &h.DNSResponse, Jitter: &h.Jitter,
	} {
		if at := k.times[i]; at != 0 {
			*to = c.distribution(w.sketches.At(at), w)
		}
	}
	return h
}

// distribution is a sketch as records have it.
func (c *chart) distribution(s *sketch, w *ward) *record.Times {
	b := s.counts(&w.buckets)
	var p [len(percentiles)]uint32
	s.quantiles(&b, percentiles[:], p[:])
	first, last := bucketOf(s.min), bucketOf(s.max)
	from := len(c.counts)
	for _, n := range b[first : last+1] {
		c.counts = append(c.counts, uint64(n))
	}
	c.times = append(c.times, record.Times{
		Count: uint64(s.count), Sum: s.sum, Mean: s.sum / uint64(s.count), Min: uint64(s.min), Max: uint64(s.max),
		P50: uint64(p[0]), P95: uint64(p[1]), P99: uint64(p[2]), FirstBucket: first, Buckets: c.counts[from:len(c.counts):len(c.counts)],
	})
	return &c.times[len(c.times)-1]
}
