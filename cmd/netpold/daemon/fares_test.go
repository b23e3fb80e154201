package daemon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// toldTimes are times as an aggregate has them.
type toldTimes struct{ Count, Sum, Min, Max int }

// toldHealth is the health of a row, or of several.
type toldHealth struct {
	FlowCount int `json:"flow_count"`
	Packets   int
	TCP       map[string]int
	DNS       map[string]int
	RTP       map[string]int
	Server    toldTimes `json:"rtt_server_us"`
	Client    toldTimes `json:"rtt_client_us"`
	App       toldTimes `json:"app_response_us"`
	TLS       toldTimes `json:"tls_handshake_us"`
	Response  toldTimes `json:"dns_response_us"`
	Jitter    toldTimes `json:"rtp_jitter_us"`
}

func (t *toldTimes) add(o toldTimes) {
	if t.Count == 0 || o.Count > 0 && o.Min < t.Min {
		t.Min = o.Min
	}
	t.Max, t.Count, t.Sum = max(t.Max, o.Max), t.Count+o.Count, t.Sum+o.Sum
}

func addTo(to *map[string]int, from map[string]int) {
	if *to == nil {
		*to = map[string]int{}
	}
	for name, n := range from {
		(*to)[name] += n
	}
}

func (h *toldHealth) add(o *toldHealth) {
	h.FlowCount, h.Packets = h.FlowCount+o.FlowCount, h.Packets+o.Packets
	addTo(&h.TCP, o.TCP)
	addTo(&h.DNS, o.DNS)
	addTo(&h.RTP, o.RTP)
	h.Server.add(o.Server)
	h.Client.add(o.Client)
	h.App.add(o.App)
	h.TLS.add(o.TLS)
	h.Response.add(o.Response)
	h.Jitter.add(o.Jitter)
}

// TestHealthAgreesWithFlows adds up the health of rows over intervals of all lengths and holds the sums against those of
// the records of the same connections, of made calls and of real captures, and answers of DNS against tshark's.
func TestHealthAgreesWithFlows(t *testing.T) {
	kerneltest.Need(t, "tshark")
	captures, err := filepath.Glob("../../../policies/examples/*/*.pcap")
	if err != nil || len(captures) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	for i, capture := range captures {
		captures[i] = filepath.Join(t.TempDir(), fmt.Sprintf("%d.pcap", i)) // rows say no more than the file's name
		path, err := filepath.Abs(capture)
		if err == nil {
			err = os.Symlink(path, captures[i])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	captures = append(captures, madeCall(t))
	hcl := "sink \"s\" {\n type = \"stdout\"\n}\n"
	for name, rest := range map[string]string{
		"whole": "by = \"ip_protocol\"\n interval = \"24h\"", "short": "by = [\"application\", \"local_ip\"]\n interval = \"5s\"",
		"few": "by = [\"application\", \"local_ip\", \"local_port\"]\n interval = \"24h\"\n keys = 16\n top = 3",
	} {
		hcl += fmt.Sprintf("aggregate %q {\n %s\n health = true\n sink = \"s\"\n}\n", name, rest)
	}
	flows, rows, totals := healthOf(t, replayed(t, hcl, captures...))
	answers := 0
	for _, capture := range captures {
		base := filepath.Base(capture)
		want := flows[base]
		if dns := tsharkAnswers(t, capture); want.Response.Count != 0 || dns.Count != 0 {
			answers += dns.Count
			if got := rows["whole "+base].Response; got.Count != dns.Count || got.Sum-dns.Sum > dns.Count || dns.Sum-got.Sum > dns.Count {
				t.Errorf("%s: answers of DNS are %+v, tshark has %+v", base, got, dns)
			}
		}
		for _, name := range []string{"whole", "short", "few"} {
			got := rows[name+" "+base]
			if diff := cmp.Diff(totals[name+" "+base], got); diff != "" {
				t.Errorf("%s, %s: the total and the rows differ: -total +rows:\n%s", base, name, diff)
			}
			if name == "short" {
				got.FlowCount = want.FlowCount // a flow counts in each interval
			}
			if got.Response.Sum >= want.Response.Sum && got.Response.Sum < want.Response.Sum+max(want.Response.Count, 1) {
				got.Response.Sum = want.Response.Sum // records of flows have a mean, which is rounded down
			}
			if got.Jitter.Sum >= want.Jitter.Sum && got.Jitter.Sum <= want.Jitter.Sum+want.Jitter.Count {
				got.Jitter.Sum = want.Jitter.Sum
			}
			// These are of shorter spans, and not in records of flows.
			got.Jitter.Min, got.Jitter.Max, got.Response.Min = want.Jitter.Min, want.Jitter.Max, want.Response.Min
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %s: -flows +rows:\n%s", base, name, diff)
			}
		}
	}
	if call := flows[filepath.Base(captures[len(captures)-1])]; call.RTP["local_lost"] == 0 || call.Jitter.Count == 0 || answers == 0 {
		t.Errorf("nothing is compared: %+v, %d answers of DNS", call, answers)
	}
}

// healthOf is what records of flows say together, by capture, and what aggregates do: by their name and
// capture what their rows have, and what they say the total is.
func healthOf(t *testing.T, records []byte) (flows map[string]toldHealth, rows, totals map[string]toldHealth) {
	t.Helper()
	flows, rows, totals = map[string]toldHealth{}, map[string]toldHealth{}, map[string]toldHealth{}
	for line := range bytes.Lines(records) {
		var r struct {
			Type, Aggregate, PCAP string
			Part                  int
			Rows                  []struct{ Health toldHealth }
			Total, Other          struct{ Health toldHealth }
			Flow                  json.RawMessage
		}
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if r.Type == "flow_end" {
			sum := flows[r.PCAP]
			one := flowHealth(t, r.Flow)
			sum.add(&one)
			flows[r.PCAP] = sum
			continue
		}
		key := r.Aggregate + " " + r.PCAP
		sum, total := rows[key], totals[key]
		for i := range r.Rows {
			sum.add(&r.Rows[i].Health)
		}
		if r.Part == 1 {
			sum.add(&r.Other.Health)
			total.add(&r.Total.Health)
		}
		rows[key], totals[key] = sum, total
	}
	return flows, rows, totals
}

// flowHealth is what the record of a flow's end says, as an aggregate would.
func flowHealth(t *testing.T, flow []byte) (h toldHealth) {
	t.Helper()
	var f struct {
		Protocol int `json:"ip_protocol"`
		KPI      map[string]int
		TCP, RTP map[string]int
	}
	if err := json.Unmarshal(flow, &f); err != nil {
		t.Fatalf("%s: %v", flow, err)
	}
	if f.KPI == nil {
		return h
	}
	h.FlowCount, h.Packets, h.RTP = 1, f.KPI["packets"], map[string]int{}
	if f.TCP != nil {
		h.TCP = f.TCP
		h.TCP["packets"] = f.KPI["packets"]
	}
	for _, side := range []string{"local", "other"} {
		if f.RTP != nil {
			h.RTP[side+"_packets"], h.RTP[side+"_lost"] = f.RTP[side+"_packets"], f.RTP[side+"_lost"]
		}
		if n := f.RTP[side+"_jitter_us"]; n != 0 {
			packets := f.RTP[side+"_packets"] - 1 // the first has none before it
			h.Jitter.add(toldTimes{packets, n * packets, n, n})
		}
	}
	for name, to := range map[string]*toldTimes{"rtt_server_us": &h.Server, "rtt_client_us": &h.Client, "app_response_us": &h.App, "tls_handshake_us": &h.TLS} {
		if n := f.KPI[name]; n != 0 {
			*to = toldTimes{1, n, n, n}
		}
	}
	if n := f.KPI["dns_queries"]; n != 0 {
		answers := f.KPI["dns_answers"]
		h.DNS = map[string]int{"queries": n, "answers": answers}
		h.Response = toldTimes{answers, answers * f.KPI["dns_response_us"], f.KPI["dns_response_us"], f.KPI["dns_response_max_us"]}
	}
	return h
}

// tsharkAnswers is how long answers of DNS over UDP took, of which tshark saw the query.
func tsharkAnswers(t *testing.T, capture string) (out toldTimes) {
	t.Helper()
	text, err := exec.Command("tshark", "-r", capture, "-Y", "dns.time && udp.port == 53", "-T", "fields", "-e", "dns.time").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		seconds, err := strconv.ParseFloat(strings.TrimSpace(line), 64)
		if err != nil {
			t.Fatal(err)
		}
		micros := int(seconds * 1e6)
		out.add(toldTimes{1, micros, micros, micros})
	}
	return out
}

// TestConditionsAskHowFlowsFare has aggregates count only connections that meet a condition: those that the
// records of the same connections say meet it.
func TestConditionsAskHowFlowsFare(t *testing.T) {
	call := madeCall(t)
	conditions := map[string]func(kpi, tcp, rtp map[string]int) bool{
		"measured_packets > 0":                         func(kpi, _, _ map[string]int) bool { return kpi["packets"] > 0 },
		"rtt_server < '3us'":                           func(kpi, _, _ map[string]int) bool { n, ok := kpi["rtt_server_us"]; return ok && n < 3 },
		"app_response > '0.1ms' || dns_response > 0":   func(kpi, _, _ map[string]int) bool { return kpi["app_response_us"] > 100 || kpi["dns_response_us"] > 0 },
		"rtp_loss > 1 && rtp_jitter > '6ms'":           func(_, _, rtp map[string]int) bool { return rtp["local_lost"]+rtp["other_lost"] > 0 },
		"protocol == 'rtp' && rtp_loss > 50":           func(_, _, _ map[string]int) bool { return false },
		"tcp_resets + tcp_retransmissions > 0":         func(_, tcp, _ map[string]int) bool { return tcp["resets"]+tcp["retrans"] > 0 },
		"tls_handshake > '500us' && tcp_resets == 0":   func(kpi, tcp, _ map[string]int) bool { return kpi["tls_handshake_us"] > 500 && tcp["resets"] == 0 },
		"ip_protocol == 'tcp' && tcp_zero_windows < 1": func(_, tcp, _ map[string]int) bool { return tcp != nil && tcp["zero_windows"] == 0 },
	}
	hcl := "sink \"s\" {\n type = \"stdout\"\n}\n"
	names := slices.Sorted(maps.Keys(conditions))
	for i, when := range names {
		hcl += fmt.Sprintf("aggregate \"a%d\" {\n by = \"ip_protocol\"\n interval = \"24h\"\n when = \"%s\"\n sink = \"s\"\n}\n", i, when)
	}
	captures, _ := filepath.Glob("../../../policies/examples/*/*.pcap")
	want, got := map[string]int{}, map[string]int{}
	for line := range bytes.Lines(replayed(t, hcl, append(captures, call)...)) {
		var r struct {
			Type, Aggregate string
			Total           struct {
				Count int `json:"flow_count"`
			}
			Flow struct{ KPI, TCP, RTP map[string]int }
		}
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		for i, when := range names {
			switch {
			case r.Type == "flow_end" && conditions[when](r.Flow.KPI, r.Flow.TCP, r.Flow.RTP):
				want[when]++
			case r.Aggregate == fmt.Sprintf("a%d", i):
				got[when] += r.Total.Count
			}
		}
	}
	for _, when := range names {
		if got[when] != want[when] {
			t.Errorf("%s: counts %d connections, records have %d", when, got[when], want[when])
		}
	}
	if len(want) < 5 {
		t.Errorf("only of %v does a connection meet the condition", want)
	}
}
