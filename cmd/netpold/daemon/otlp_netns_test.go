//go:build sink_otlp

package daemon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// collector runs OpenTelemetry's collector (sink/testdata/otelcol) and says where it listens and writes.
func collector(t *testing.T) (address, file string) {
	t.Helper()
	kerneltest.Need(t, "otelcol")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	l.Close()
	dir := t.TempDir()
	file, config := filepath.Join(dir, "out.json"), filepath.Join(dir, "conf.yaml")
	text := fmt.Sprintf(`
receivers: { otlp: { protocols: { http: { endpoint: %q } } } }
exporters: { file: { path: %q, flush_interval: 50ms } }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [otlp], exporters: [file] }
    metrics: { receivers: [otlp], exporters: [file] }
`, address, file)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("otelcol", "--config="+config)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return address, file
}

// collected are the log records of an event in the collector's file, by their flow's digest, with
// the bytes that they tell.
func collected(t *testing.T, file, event string) map[string][]string {
	t.Helper()
	data, _ := os.ReadFile(file)
	out := map[string][]string{}
	for line := range bytes.Lines(data) {
		var request struct {
			ResourceLogs []struct {
				ScopeLogs []struct {
					LogRecords []struct {
						EventName  string
						Attributes []struct {
							Key   string
							Value struct{ StringValue, IntValue string }
						}
					}
				}
			}
		}
		if json.Unmarshal(line, &request) != nil || len(request.ResourceLogs) == 0 {
			continue // metrics, or half a line
		}
		for _, l := range request.ResourceLogs[0].ScopeLogs[0].LogRecords {
			values := map[string]string{}
			for _, a := range l.Attributes {
				values[a.Key] = a.Value.StringValue + a.Value.IntValue
			}
			if l.EventName == event {
				digest := values["netpol.flow.digest"]
				out[digest] = append(out[digest], values["netpol.flow.total_bytes"]+" "+values["source.address"]+" "+values["network.transport"])
			}
		}
	}
	return out
}

// TestOtelcolIsTold has connections through the kernel end: the collector has each of them once, with
// the bytes that a file has.
func TestOtelcolIsTold(t *testing.T) {
	address, out := collector(t)
	s := newSite(t)
	file := filepath.Join(t.TempDir(), "events.jsonl")
	records := []string{"flow_end", "agent_status", "interface_stats"}
	s.bundle.Sinks = []artifact.Sink{
		{Name: "file", Kind: artifact.SinkFile, Path: file, Queue: 1 << 20, Interval: time.Second, Records: records},
		{Name: "otlp", Kind: artifact.SinkOTLP, URL: "http://" + address, Queue: 1 << 20, Interval: time.Second, Records: records, Compress: "gzip"},
	}
	e, stop := s.netpold(slog.New(slog.DiscardHandler))
	for i := range 20 {
		_, say := s.talk()
		say(3+i, 100)
	}
	s.waitFor("connections", func() bool { return e.engine.Stats().Flows >= 20 })
	s.Router.Run("conntrack", "-D", "-p", "udp")
	s.waitFor("their ends", func() bool { return len(s.inFile(file, "flow_end")) == 20 })
	s.waitFor("their ends at the collector", func() bool { return len(collected(t, out, "netpol.flow_end")) == 20 })
	s.waitFor("metrics of interfaces and netpold", func() bool {
		data, _ := os.ReadFile(out)
		return bytes.Contains(data, []byte(`"system.network.io"`)) && bytes.Contains(data, []byte(`"process.uptime"`))
	})
	stop()
	got := collected(t, out, "netpol.flow_end")
	for _, r := range s.inFile(file, "flow_end") {
		if list, want := got[r.Flow.Digest], fmt.Sprintf("%d %s udp", r.Flow.TotalBytes, r.Flow.LocalIP); len(list) != 1 || list[0] != want {
			t.Errorf("the collector has %q, and the file %q", list, want)
		}
	}
}
