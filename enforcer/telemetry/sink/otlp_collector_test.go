//go:build sink_otlp

package sink

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// otelcol is OpenTelemetry's own collector (testdata/otelcol), with TLS and a token.
type otelcol struct {
	t         *testing.T
	dir       string
	transport string // of sinks: grpc, or empty for HTTP
	port      int
	cmd       *exec.Cmd
	ca, key   string
}

// overBoth runs a test for each way that OTLP is carried.
func overBoth(t *testing.T, test func(*testing.T, *otelcol)) {
	for name, transport := range map[string]string{"http": "", "grpc": "grpc"} {
		t.Run(name, func(t *testing.T) { test(t, newOtelcol(t, transport, "")) })
	}
}

// newOtelcol starts a collector with one receiver, which has some more settings.
func newOtelcol(t *testing.T, transport, settings string) *otelcol {
	t.Helper()
	kerneltest.Need(t, "otelcol")
	c := &otelcol{t: t, dir: t.TempDir(), transport: transport, port: freePort(t)}
	cert, key := certificate(t, c.dir)
	c.ca, c.key = cert, key
	text := fmt.Sprintf(`
extensions:
  bearertokenauth: { token: sesame }
receivers:
  otlp:
    protocols:
      %s:
        endpoint: %s
        tls: { cert_file: %s, key_file: %s, client_ca_file: %s }
        auth: { authenticator: bearertokenauth }
        %s
exporters:
  file: { path: %s, append: true, flush_interval: 50ms }
service:
  extensions: [bearertokenauth]
  telemetry: { logs: { level: error }, metrics: { level: none } }
  pipelines:
    logs: { receivers: [otlp], exporters: [file] }
    metrics: { receivers: [otlp], exporters: [file] }
`, cmp.Or(transport, "http"), c.address(), cert, key, cert, settings, c.file())
	if err := os.WriteFile(filepath.Join(c.dir, "conf.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c.start()
	return c
}

func (c *otelcol) address() string { return fmt.Sprintf("127.0.0.1:%d", c.port) }
func (c *otelcol) file() string    { return filepath.Join(c.dir, "out.json") }

func (c *otelcol) start() {
	c.t.Helper()
	c.cmd = exec.Command("otelcol", "--config="+filepath.Join(c.dir, "conf.yaml"))
	launch(c.t, c.cmd, c.address())
}

// stop has it end by itself: it says of records that it has them before they are in the file.
func (c *otelcol) stop() {
	c.t.Helper()
	if err := c.cmd.Process.Signal(os.Interrupt); err != nil {
		c.t.Fatal(err)
	}
	_ = c.cmd.Wait()
}

func (c *otelcol) sink() artifact.Sink {
	return artifact.Sink{
		Name: "o", Kind: artifact.SinkOTLP, Transport: c.transport, URL: "https://" + c.address(), Queue: 1 << 20, Compress: "gzip", TokenFile: secretFile(c.t, "sesame"),
		CAFile: c.ca, CertFile: c.ca, KeyFile: c.key,
		Resource: []artifact.Header{{Name: "deployment.environment.name", Value: "branch"}}, Records: []string{"flow", "flow_end", "interface_stats"},
	}
}

// Messages of OTLP as the collector writes them (its JSON encoding).
type (
	otelKV struct {
		Key   string
		Value struct{ StringValue, IntValue string }
	}
	otelScope struct {
		LogRecords []struct {
			TimeUnixNano, EventName, SeverityText string
			Attributes                            []otelKV
			Body                                  struct{ StringValue string }
		}
		Metrics []struct {
			Name, Unit string
			Sum        struct {
				DataPoints []struct {
					AsInt      string
					Attributes []otelKV
				}
				IsMonotonic            bool
				AggregationTemporality int
			}
		}
	}
	otelLine struct {
		ResourceLogs []struct {
			Resource  struct{ Attributes []otelKV }
			ScopeLogs []otelScope
		}
		ResourceMetrics []struct{ ScopeMetrics []otelScope }
	}
)

func otelValue(list []otelKV, name string) string {
	for _, a := range list {
		if a.Key == name {
			return a.Value.StringValue + a.Value.IntValue
		}
	}
	return ""
}

// lines are what the collector has written.
func (c *otelcol) lines() (out []otelLine) {
	c.t.Helper()
	f, err := os.Open(c.file())
	if err != nil {
		return nil // nothing yet
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		var one otelLine
		if json.Unmarshal(s.Bytes(), &one) == nil { // the last line may be half written
			out = append(out, one)
		}
	}
	return out
}

// hosts are the server names of all log records, counted.
func (c *otelcol) hosts() map[string]int {
	c.t.Helper()
	time.Sleep(100 * time.Millisecond) // who waits for records asks again and again
	names := map[string]int{}
	for _, one := range c.lines() {
		for _, r := range one.ResourceLogs {
			for _, s := range r.ScopeLogs {
				for _, l := range s.LogRecords {
					names[otelValue(l.Attributes, "server.address")]++
				}
			}
		}
	}
	return names
}

// TestOtelcol has a real collector take records of connections and of an interface,
// over TLS with a certificate of netpold's, compressed, with a token.
func TestOtelcol(t *testing.T) { overBoth(t, testOtelcol) }

func testOtelcol(t *testing.T, c *otelcol) {
	s := New(Config{Version: "v9", Started: time.Now()})
	defer s.Close()
	s.Use([]artifact.Sink{c.sink()})
	const at = 1_795_352_400_000
	end := &record.FlowEnd{FlowHead: record.FlowHead{Head: record.Head{Type: record.KindFlowEnd, SchemaVersion: 1, Timestamp: at}, Interface: "lan0"}, Reason: record.ReasonExpired}
	end.Flow.Detail = record.Detail{
		Brief: record.Brief{ApplicationName: "zoom", ProtocolName: "tls"}, IPVersion: 4, IPProtocol: 6, LocalOrigin: true, HostName: "host",
		LocalIP: netip.MustParseAddr("192.0.2.7"), LocalPort: 40000, OtherIP: netip.MustParseAddr("198.51.100.7"), OtherPort: 443,
	}
	end.Flow.TotalBytes = 4711
	s.Offer(0, end)
	s.Offer(0, &record.InterfaceStats{Head: record.Head{Type: record.KindInterfaceStats, SchemaVersion: 1, Timestamp: at}, Interface: "wan0", RxBytes: 12})
	for i := range 1000 {
		s.Offer(0, flowOf(fmt.Sprint("host", i)))
	}
	eventually(t, "all records", func() bool { return len(c.hosts()) == 1001 })
	for name, n := range c.hosts() {
		if n != 1 {
			t.Errorf("%s came %d times", name, n)
		}
	}
	got := c.lines()
	first := got[0].ResourceLogs[0]
	l := first.ScopeLogs[0].LogRecords[0]
	var text strings.Builder
	for _, name := range []string{"service.name", "service.version", "deployment.environment.name"} {
		fmt.Fprintf(&text, "%s=%s ", name, otelValue(first.Resource.Attributes, name))
	}
	fmt.Fprintf(&text, "%s %s %s %q", l.TimeUnixNano, l.EventName, l.SeverityText, l.Body.StringValue)
	for _, name := range []string{"source.address", "source.port", "destination.address", "destination.port", "network.transport", "network.protocol.name", "network.interface.name", "server.address", "netpol.flow.total_bytes", "netpol.reason"} {
		fmt.Fprintf(&text, " %s=%s", name, otelValue(l.Attributes, name))
	}
	const want = `service.name=netpol service.version=v9 deployment.environment.name=branch 1795352400000000000 netpol.flow_end INFO "flow_end zoom 192.0.2.7:40000 > 198.51.100.7:443 host, expired" source.address=192.0.2.7 source.port=40000 destination.address=198.51.100.7 destination.port=443 network.transport=tcp network.protocol.name=tls network.interface.name=lan0 server.address=host netpol.flow.total_bytes=4711 netpol.reason=expired`
	if text.String() != want {
		t.Errorf("got  %s\nwant %s", text.String(), want)
	}
	for _, one := range got {
		for _, r := range one.ResourceMetrics {
			for _, m := range r.ScopeMetrics[0].Metrics {
				if p := m.Sum.DataPoints; m.Name == "system.network.io" && p[0].AsInt == "12" && m.Unit == "By" && m.Sum.IsMonotonic && m.Sum.AggregationTemporality == 2 && otelValue(p[0].Attributes, "network.io.direction") == "receive" {
					return
				}
			}
		}
	}
	t.Errorf("the interface's counters are not there: %+v", got)
}

// TestOtelcolAway stops the collector under load, three times: all arrives, and what
// was under way then may do so twice.
func TestOtelcolAway(t *testing.T) { overBoth(t, testOtelcolAway) }

func testOtelcolAway(t *testing.T, c *otelcol) {
	one := c.sink()
	one.Queue, one.Spool, one.SpoolSize = 128<<10, filepath.Join(t.TempDir(), "spool"), 64<<20
	s := New(Config{})
	defer s.Close()
	use(t, s, one)
	offered := underLoad(t, s, 3, func() {
		c.stop()
		eventually(t, "records on disk", func() bool { return s.Status()[0].SpoolRecords > 100 })
		c.start()
	})
	eventually(t, "all records", func() bool { return len(c.hosts()) == offered })
	twice := 0
	for _, n := range c.hosts() {
		twice += n - 1
	}
	eventually(t, "an empty spool", func() bool { return s.Status()[0].SpoolRecords == 0 })
	if st := s.Status()[0]; st.Fault != "" || len(st.Dropped) > 0 {
		t.Errorf("got %+v", st)
	}
	t.Logf("%d records, %d of them came twice", offered, twice)
}

// TestOtelcolRefuses asks for what is not there, and shows a wrong token: these records are
// given up. What is wrong with the connection has them wait.
func TestOtelcolRefuses(t *testing.T) { overBoth(t, testOtelcolRefuses) }

func testOtelcolRefuses(t *testing.T, c *otelcol) {
	faults := map[string]string{
		"token":           `the server answers 401 Unauthorized to https://ADDRESS/v1/logs`,
		"other transport": "the server at https://ADDRESS does not answer as gRPC does (HTTP 404 Not Found): is this its port for OTLP over HTTP",
		"no TLS":          `the server answers 400 Bad Request ("Client sent an HTTP request to an HTTPS server.") to http://ADDRESS/v1/logs`,
	}
	if c.transport == "grpc" {
		faults = map[string]string{
			"token":           `the collector at https://ADDRESS answers UNAUTHENTICATED ("provided authorization does not match expected scheme or token") to log records`,
			"other transport": "the server answers 415 Unsupported Media Type to https://ADDRESS/v1/logs: is this its port for OTLP over gRPC",
			"no TLS":          "): does it want https",
		}
	}
	for _, test := range []struct {
		name   string
		given  bool // up
		change func(*artifact.Sink)
	}{
		{"token", true, func(s *artifact.Sink) { s.TokenFile = secretFile(t, "wrong") }},
		{"other transport", true, func(s *artifact.Sink) { s.Transport = map[string]string{"": "grpc"}[c.transport] }},
		{"authority", false, func(s *artifact.Sink) { s.CAFile = "" }},
		{"no TLS", c.transport == "", func(s *artifact.Sink) { s.URL = "http://" + c.address() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			one := c.sink()
			test.change(&one)
			s := New(Config{})
			defer s.Close()
			s.Use([]artifact.Sink{one})
			s.Offer(0, flowOf("a"))
			eventually(t, "a fault", func() bool { return s.Status()[0].Fault != "" })
			st, want := s.Status()[0], strings.ReplaceAll(cmp.Or(faults[test.name], "certificate signed by unknown authority"), "ADDRESS", c.address())
			if !strings.HasSuffix(st.Fault, want) || (st.Dropped["failed"] == 1) != test.given {
				t.Errorf("got %+v, want %s", st, want)
			}
		})
	}
}

// TestOtelcolTakesLess has a collector that takes 1 MiB at most: what is longer goes in parts.
func TestOtelcolTakesLess(t *testing.T) {
	c := newOtelcol(t, "grpc", "max_recv_msg_size_mib: 1")
	one := c.sink()
	one.Queue = 16 << 20
	s := New(Config{})
	defer s.Close()
	long := strings.Repeat("x", 200)
	s.Use([]artifact.Sink{one})
	for i := range 8000 {
		s.Offer(0, flowOf(fmt.Sprint(long, i)))
	}
	eventually(t, "all records", func() bool { return len(c.hosts()) == 8000 })
	if st := s.Status()[0]; st.Fault != "" || len(st.Dropped) > 0 {
		t.Errorf("got %+v", st)
	}
}
