package otlp

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"iter"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	collectlogs "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	collectmetrics "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/netpol/netpol/enforcer/telemetry/record"
)

var update = flag.Bool("update", false, "write the golden files")

var started = time.Date(2026, 11, 22, 9, 0, 0, 123456789, time.UTC)

const at = 1_795_352_400_000 // milliseconds: 2026-11-22 13:00 UTC

func head(k record.Kind) record.Head {
	return record.Head{Type: k, SchemaVersion: record.SchemaVersion, Timestamp: at}
}

// zoom is a flow that shows a lot.
func zoom() record.Detail {
	return record.Detail{
		Brief:     record.Brief{Digest: record.Digest{0xab}, LastSeenAt: at - 5, ApplicationName: "zoom", BrandName: "zoom", ProtocolName: "tls", DetectionPackets: 4},
		IPVersion: 4, IPProtocol: 6, LocalOrigin: true, LocalIP: netip.MustParseAddr("192.168.10.7"), LocalPort: 51000, LocalMAC: "02:00:00:00:00:07",
		OtherIP: netip.MustParseAddr("198.51.100.2"), OtherPort: 443, OtherType: "remote", Category: record.Category{Application: "voip"},
		HostName: "us04web.zoom.us", DNSHostName: "zoom.us", Policies: []string{"a", "b"}, Labels: []string{},
		SSL: record.SSL{
			Version: 0x0303, CipherSuite: 0xc02f, ClientSNI: "us04web.zoom.us", ClientJA4: "t13d1516h2_8daaf6152771_02713d6af862", ALPN: "h2,http/1.1", ALPNServer: "h2",
			SubjectDN: "CN=*.zoom.us", IssuerDN: "CN=Example CA", Fingerprint: "9e393d93138888d288266c2d915214d1d1ccea2a", HelloWasRead: true,
		},
	}
}

func records() []record.Record {
	on := func(k record.Kind) record.FlowHead { return record.FlowHead{Head: head(k), Interface: "lan0"} }
	asked := record.Detail{
		Brief: record.Brief{ProtocolName: "dns"}, IPVersion: 6, IPProtocol: 17, LocalIP: netip.MustParseAddr("2001:db8::53"), LocalPort: 53,
		OtherIP: netip.MustParseAddr("2001:db8::7"), OtherPort: 40000, DNSHostName: "example.org", SSL: record.SSL{CipherSuite: 0x1399},
	}
	return []record.Record{
		&record.Flow{FlowHead: on(record.KindFlow), Flow: asked},
		&record.FlowStats{FlowHead: on(record.KindFlowStats), Flow: record.Progress{Brief: zoom().Brief, Counters: record.Counters{LocalBytes: 1 << 63}}},
		&record.FlowEnd{FlowHead: on(record.KindFlowEnd), Reason: record.ReasonClosed, Flow: record.Total{Detail: zoom(), Counters: record.Counters{LocalBytes: 1000, OtherBytes: 9000, TotalBytes: 10000}}},
		&record.PolicyMatch{FlowHead: on(record.KindPolicyMatch), Flow: zoom(), Policy: record.Policy{
			Name: "calls", File: "p.netpol.hcl", Line: 3, Criteria: "app == 'zoom'", Labels: []string{"zoom"}, Evidence: []record.Attribute{{Name: "app", Value: "zoom"}},
		}},
		&record.Endpoints{Head: head(record.KindEndpoints), Hosts: []record.Endpoint{
			{MAC: "02:00:00:00:00:07", Addresses: []netip.Addr{netip.MustParseAddr("192.168.10.7"), netip.MustParseAddr("2001:db8::7")}},
			{MAC: "02:00:00:00:00:08", Addresses: []netip.Addr{netip.MustParseAddr("192.168.10.8")}},
		}},
		&record.InterfaceStats{Head: head(record.KindInterfaceStats), Interface: "wan0", RxBytes: 7, TxBytes: 8, Captured: record.Captured{Raw: 3, LargestBytes: 1500}},
		&record.AgentStatus{Head: head(record.KindAgentStatus), AgentVersion: "v1", BundleDigest: "sha256:1", Uptime: at/1000 - started.Unix(), CPUUser: 1500, MemRSS: 2, FlowsSeen: 9},
		&record.Aggregate{
			Head: head(record.KindAggregate), Aggregate: "accounts", By: []string{"local_ip", "policy"}, StartAt: at - 60_000, EndAt: at, Part: 1, Parts: 2, Exact: true,
			Rows: []record.AggregateRow{
				{LocalIP: netip.MustParseAddr("192.168.10.7"), Policy: "zero-rated", ApplicationName: "spotify", IPProtocol: 17, Sum: record.Sum{LocalBytes: 1, LocalPackets: 2, OtherBytes: 3, OtherPackets: 4, FlowCount: 5, Health: health()}},
			},
			Other: record.Sum{LocalBytes: 10, FlowCount: 1}, Total: record.Sum{LocalBytes: 11},
		},
		&record.Aggregate{Head: head(record.KindAggregate), Aggregate: "accounts", StartAt: at - 60_000, EndAt: at, Part: 2, Parts: 2, Other: record.Sum{LocalBytes: 10, FlowCount: 1}},
	}
}

// health is a row's, with two round trips of 100 and 4 microseconds.
func health() *record.Health {
	return &record.Health{
		FlowCount: 2, Packets: 20, TCP: record.HealthTCP{Packets: 15, Retrans: 3, LocalRetrans: 1, OtherRetrans: 2, Resets: 1},
		RTTServer: &record.Times{Count: 2, Sum: 104, Mean: 52, Min: 4, Max: 100, P50: 4, P95: 100, P99: 100, FirstBucket: 8, Buckets: []uint64{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
		DNS:       record.HealthDNS{Queries: 2, Answers: 1}, RTP: record.HealthRTP{LocalPackets: 100, LocalLost: 3},
		Jitter: &record.Times{Count: 99, Sum: 990, Mean: 10, Min: 10, Max: 10, P50: 10, P95: 10, P99: 10, FirstBucket: 14, Buckets: []uint64{99}},
	}
}

func linesOf(s Signal) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, r := range records() {
			if SignalOf(r.Kind().String()) == s && !yield(append(r.AppendJSON(nil), '\n')) {
				return
			}
		}
	}
}

func encoder() *Encoder {
	return NewEncoder(Source{Version: "v1.2.3", Host: "router7", Started: started, Resource: []Attribute{{"service.name", "branch"}, {"site", "7"}}})
}

// TestRequests holds what is made of each kind of record against golden files.
func TestRequests(t *testing.T) {
	for s, file := range map[Signal]string{Logs: "testdata/logs.golden", Metrics: "testdata/metrics.golden"} {
		body, items, bad, err := encoder().Request(s, linesOf(s))
		if err != nil || bad != 0 {
			t.Fatalf("%d lines are bad: %v", bad, err)
		}
		again, _, _, _ := encoder().Request(s, linesOf(s))
		if !bytes.Equal(body, again) {
			t.Error("the same records are other bytes when they are sent again")
		}
		got := fmt.Sprintf("%d %s\n%s", items, s, plain(t, s, body))
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

// plain is a request as text, a line for each item and each attribute.
func plain(t *testing.T, s Signal, body []byte) string {
	t.Helper()
	var b strings.Builder
	about := func(what string, list []*common.KeyValue) {
		fmt.Fprintf(&b, "%s\n", what)
		for _, a := range list {
			fmt.Fprintf(&b, "    %s = %s\n", a.Key, shown(a.Value))
		}
	}
	if s == Logs {
		var r collectlogs.ExportLogsServiceRequest
		if err := proto.Unmarshal(body, &r); err != nil {
			t.Fatal(err)
		}
		one := r.ResourceLogs[0]
		about("resource of "+one.SchemaUrl, one.Resource.Attributes)
		about("scope "+one.ScopeLogs[0].Scope.Name+" "+one.ScopeLogs[0].Scope.Version, nil)
		for _, l := range one.ScopeLogs[0].LogRecords {
			about(fmt.Sprintf("%s %d %d %s %d %s", l.EventName, l.TimeUnixNano, l.ObservedTimeUnixNano, l.SeverityText, l.SeverityNumber, shown(l.Body)), l.Attributes)
		}
		return b.String()
	}
	var r collectmetrics.ExportMetricsServiceRequest
	if err := proto.Unmarshal(body, &r); err != nil {
		t.Fatal(err)
	}
	for _, m := range r.ResourceMetrics[0].ScopeMetrics[0].Metrics {
		for _, p := range m.GetExponentialHistogram().GetDataPoints() {
			about(fmt.Sprintf("%s %s %v scale %d %d..%d: %d, sum %v, from %v to %v, buckets %d: %d", m.Name, m.Unit, m.GetExponentialHistogram().AggregationTemporality,
				p.Scale, p.StartTimeUnixNano, p.TimeUnixNano, p.Count, *p.Sum, *p.Min, *p.Max, p.Positive.Offset, p.Positive.BucketCounts), p.Attributes)
		}
		kind, points := "gauge", m.GetGauge().GetDataPoints()
		if sum := m.GetSum(); sum != nil {
			kind, points = fmt.Sprintf("%v monotonic=%v", sum.AggregationTemporality, sum.IsMonotonic), sum.DataPoints
		}
		for _, p := range points {
			about(fmt.Sprintf("%s %s %s %d..%d %s", m.Name, m.Unit, kind, p.StartTimeUnixNano, p.TimeUnixNano, number(p)), p.Attributes)
		}
	}
	return b.String()
}

func number(p *metrics.NumberDataPoint) string {
	if v, ok := p.Value.(*metrics.NumberDataPoint_AsDouble); ok {
		return fmt.Sprint("double ", v.AsDouble)
	}
	return fmt.Sprint(p.GetAsInt())
}

func shown(v *common.AnyValue) string {
	switch v := v.Value.(type) {
	case *common.AnyValue_StringValue:
		return fmt.Sprintf("%q", v.StringValue)
	case *common.AnyValue_ArrayValue:
		var words []string
		for _, one := range v.ArrayValue.Values {
			words = append(words, shown(one))
		}
		return "[" + strings.Join(words, ", ") + "]"
	case *common.AnyValue_KvlistValue:
		var words []string
		for _, one := range v.KvlistValue.Values {
			words = append(words, one.Key+"="+shown(one.Value))
		}
		return "{" + strings.Join(words, ", ") + "}"
	case *common.AnyValue_DoubleValue:
		return fmt.Sprint("double ", v.DoubleValue)
	case *common.AnyValue_IntValue:
		return fmt.Sprint(v.IntValue)
	case *common.AnyValue_BoolValue:
		return fmt.Sprint(v.BoolValue)
	}
	return "?"
}

// TestNamesOnce says that no item has two attributes of one name, which OTLP forbids.
func TestNamesOnce(t *testing.T) {
	for line := range linesOf(Logs) {
		list, _ := readLogs(slices.Values([][]byte{line}))
		seen := map[string]bool{}
		for _, a := range list[0].Attributes {
			if seen[a.Key] || a.Value == nil {
				t.Errorf("%s stands twice, or without a value, in %s", a.Key, line)
			}
			seen[a.Key] = true
		}
	}
}

// TestStartStays has uptime, which is whole seconds, change its fraction: the start
// stays that of the process. Of a netpold before this one it is worked out.
func TestStartStays(t *testing.T) {
	starts := map[uint64]bool{}
	for ms := range int64(3) {
		var m meter
		now := started.Add(time.Hour + time.Duration(ms)*400*time.Millisecond)
		m.agent(uint64(now.UnixNano()), uint64(started.UnixNano()), object{"uptime": json.Number(fmt.Sprint(int64(now.Sub(started).Seconds())))})
		starts[m.list[0].GetGauge().DataPoints[0].StartTimeUnixNano] = true
	}
	if len(starts) != 1 || !starts[uint64(started.UnixNano())] {
		t.Errorf("got the starts %v", starts)
	}
	var m meter
	m.agent(uint64(started.UnixNano()), uint64(started.UnixNano()), object{"uptime": json.Number("60")})
	if got, want := m.list[0].GetGauge().DataPoints[0].StartTimeUnixNano, uint64(started.Add(-time.Minute).UnixNano()); got != want {
		t.Errorf("got %d, want %d", got, want)
	}
}

func TestBadLines(t *testing.T) {
	for _, s := range []Signal{Logs, Metrics} {
		_, items, bad, err := encoder().Request(s, slices.Values([][]byte{[]byte("x\n"), []byte("{}\n"), []byte("[]\n"), []byte("\xde\x00\x01")}))
		if items != 0 || bad != 4 || err != nil {
			t.Errorf("%s: got %d items, %d bad, %v", s, items, bad, err)
		}
	}
}

func TestRefused(t *testing.T) {
	answers := map[Signal]proto.Message{
		Logs:    &collectlogs.ExportLogsServiceResponse{PartialSuccess: &collectlogs.ExportLogsPartialSuccess{RejectedLogRecords: 3, ErrorMessage: "too old"}},
		Metrics: &collectmetrics.ExportMetricsServiceResponse{PartialSuccess: &collectmetrics.ExportMetricsPartialSuccess{RejectedDataPoints: 3, ErrorMessage: "too old"}},
	}
	for s, answer := range answers {
		body, err := proto.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		if n, why, err := Refused(s, body); n != 3 || why != "too old" || err != nil {
			t.Errorf("%s: got %d, %q, %v", s, n, why, err)
		}
		if n, _, err := Refused(s, nil); n != 0 || err != nil {
			t.Errorf("%s: got %d, %v of an empty answer", s, n, err)
		}
		if _, _, err := Refused(s, []byte("ok")); err == nil {
			t.Errorf("%s: a text is an answer", s)
		}
	}
}

func BenchmarkRequest(b *testing.B) {
	end := records()[2].AppendJSON(nil)
	lines := slices.Repeat([][]byte{end}, 500)
	b.ReportAllocs()
	for b.Loop() {
		if _, n, _, err := encoder().Request(Logs, slices.Values(lines)); n != 500 || err != nil {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(b.N)*500/b.Elapsed().Seconds(), "records/s")
}
