package otlp

import (
	"encoding/json"

	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
)

// direction is a delta by the side that sent what it counts.
func direction(name, unit, value string) metric {
	return metric{name: name, unit: unit, instrument: delta, attribute: "network.io.direction", value: value}
}

// ofHealth are the figures of an aggregate's health that are added up, by the path of the member. Those
// that are the sum of two others are left to who adds up.
var ofHealth = []struct {
	in, name string
	as       metric
}{
	{"", "flow_count", metric{name: "netpol.aggregate.measured.flows", unit: "{flow}", instrument: delta}},
	{"", "packets", metric{name: "netpol.aggregate.measured.packets", unit: "{packet}", instrument: delta}},
	{"tcp", "packets", metric{name: "netpol.aggregate.tcp.packets", unit: "{packet}", instrument: delta}},
	{"tcp", "local_retrans", direction("netpol.aggregate.tcp.retransmissions", "{packet}", "transmit")},
	{"tcp", "other_retrans", direction("netpol.aggregate.tcp.retransmissions", "{packet}", "receive")},
	{"tcp", "local_seq_errors", direction("netpol.aggregate.tcp.sequence_errors", "{packet}", "transmit")},
	{"tcp", "other_seq_errors", direction("netpol.aggregate.tcp.sequence_errors", "{packet}", "receive")},
	{"tcp", "resets", metric{name: "netpol.aggregate.tcp.resets", unit: "{packet}", instrument: delta}},
	{"tcp", "zero_windows", metric{name: "netpol.aggregate.tcp.zero_windows", unit: "{packet}", instrument: delta}},
	{"dns", "queries", metric{name: "netpol.aggregate.dns.queries", unit: "{query}", instrument: delta}},
	{"dns", "answers", metric{name: "netpol.aggregate.dns.answers", unit: "{answer}", instrument: delta}},
	{"rtp", "local_packets", direction("netpol.aggregate.rtp.packets", "{packet}", "transmit")},
	{"rtp", "other_packets", direction("netpol.aggregate.rtp.packets", "{packet}", "receive")},
	{"rtp", "local_lost", direction("netpol.aggregate.rtp.lost", "{packet}", "transmit")},
	{"rtp", "other_lost", direction("netpol.aggregate.rtp.lost", "{packet}", "receive")},
}

// ofTimes are its distributions, by the member.
var ofTimes = []struct {
	name string
	as   metric
}{
	{"rtt_server_us", metric{name: "netpol.aggregate.rtt", unit: "us", instrument: histogram, attribute: "netpol.rtt.to", value: "server"}},
	{"rtt_client_us", metric{name: "netpol.aggregate.rtt", unit: "us", instrument: histogram, attribute: "netpol.rtt.to", value: "client"}},
	{"app_response_us", metric{name: "netpol.aggregate.app_response", unit: "us", instrument: histogram}},
	{"tls_handshake_us", metric{name: "netpol.aggregate.tls.handshake", unit: "us", instrument: histogram}},
	{"dns_response_us", metric{name: "netpol.aggregate.dns.response", unit: "us", instrument: histogram}},
	{"rtp_jitter_us", metric{name: "netpol.aggregate.rtp.jitter", unit: "us", instrument: histogram}},
}

// bucketScale is that of the records' buckets: four between a time and twice as much (OpenTelemetry metrics
// data model, ExponentialHistogram).
const bucketScale = 2

// health adds how the flows of a row fared.
func (m *meter) health(row object, when span, labels attributes) {
	all := inner(row, "health")
	if len(all) == 0 {
		return
	}
	for _, f := range ofHealth {
		of := all
		if f.in != "" {
			of = inner(all, f.in)
		}
		if n, ok := of[f.name].(json.Number); ok {
			m.add(f.as, n, when, labels)
		}
	}
	for _, t := range ofTimes {
		if times := inner(all, t.name); len(times) > 0 {
			m.distribution(t.as, times, when, labels)
		}
	}
}

// distribution adds a histogram. Bucket i of a record has what is at most 2^(i/4), which is number
// i-1 here.
func (m *meter) distribution(what metric, times object, when span, labels attributes) {
	sum, least, most := float64(numberIn(times, "sum")), float64(numberIn(times, "min")), float64(numberIn(times, "max"))
	point := &metrics.ExponentialHistogramDataPoint{
		StartTimeUnixNano: when.start, TimeUnixNano: when.end, Scale: bucketScale,
		Count: uint64(numberIn(times, "count")), Sum: &sum, Min: &least, Max: &most,
		Positive: &metrics.ExponentialHistogramDataPoint_Buckets{Offset: int32(numberIn(times, "first_bucket")) - 1},
	}
	point.Attributes = append(point.Attributes, labels...)
	if what.attribute != "" {
		(*attributes)(&point.Attributes).text(what.attribute, what.value)
	}
	buckets, _ := times["buckets"].([]any)
	for _, b := range buckets {
		n, _ := b.(json.Number)
		count, _ := n.Int64()
		point.Positive.BucketCounts = append(point.Positive.BucketCounts, uint64(count))
	}
	h := m.metric(what).GetExponentialHistogram()
	h.DataPoints = append(h.DataPoints, point)
	m.points++
}
