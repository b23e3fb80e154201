package daemon

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/dissect/all"
	"github.com/netpol/netpol/enforcer/kernel/capture"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/enforcer/telemetry/sink"
)

// Policies, all that can be told of what they see, and what many ask for.
const (
	costPolicies = `
policy "video" {
  criteria = "category == 'streaming-media'"
  label    = "video"
}
policy "calls" {
  criteria = "app == 'zoom' || protocol == 'rtp' || protocol == 'stun'"
  label    = "calls"
}
policy "old-tls" {
  criteria = "tls_version < '1.2' || risk_score > 50"
  label    = "old-tls"
}
`
	costTelemetry = `
sink "s" {
  type     = "file"
  path     = "/records.jsonl"
  interval = "5s"
  records  = ["flow", "flow_update", "flow_stats", "flow_end", "endpoints"]
  queue    = "8MB"
  details  = "always"
}
aggregate "a1" {
  layout = "netify-1"
  sink   = "s"
}
aggregate "a3" {
  layout = "netify-3"
  sink   = "s"
}
aggregate "a5" {
  by   = ["brand", "policy"]
  sink = "s"
}
`
	costUsual = `
sink "s" {
  type    = "file"
  path    = "/records.jsonl"
  records = "flow_end"
  queue   = "8MB"
}
aggregate "a1" {
  layout = "netify-1"
  sink   = "s"
}
`
)

// TestTelemetryCost runs the same captures with policies alone and with every record, aggregate and metric
// that netpold has, in turn, and compares user and system time: telemetry may make it half as much again.
// NETPOL_CORPUS names a directory whose dev/*.pcap* are read ten times, as one capture, or a capture
// that is read once.
func TestTelemetryCost(t *testing.T) {
	corpus := os.Getenv("NETPOL_CORPUS")
	if os.Getenv("NETPOL_MEASURE") == "" || corpus == "" {
		t.Skip("NETPOL_MEASURE or NETPOL_CORPUS is not set")
	}
	files, times := []string{corpus}, 1
	if info, err := os.Stat(corpus); err == nil && info.IsDir() {
		if files, err = filepath.Glob(filepath.Join(corpus, "dev", "*.pcap*")); err != nil || len(files) == 0 {
			t.Fatalf("no captures: %v", err)
		}
		times = 10
	}
	enforcer.CollectSeldom() // as netpold runs
	plain := compiled(t, costPolicies)
	for _, one := range []struct{ name, telemetry string }{
		{"each record, three aggregates, details once", strings.Replace(costTelemetry, `"always"`, `"once"`, 1)},
		{"each record, three aggregates", costTelemetry},
		{"flow_end, one aggregate", costUsual},
	} {
		name, told := one.name, compiled(t, costPolicies+one.telemetry)
		var ratios []float64
		for range 7 {
			a, _ := replayCost(t, plain, false, files, times)
			var b time.Duration
			var records uint64
			pprof.Do(t.Context(), pprof.Labels("told", name), func(context.Context) { // go tool pprof -tagfocus
				b, records = replayCost(t, told, true, files, times)
			})
			ratios = append(ratios, b.Seconds()/a.Seconds())
			t.Logf("%s: %v beside %v, %d records", name, b, a, records)
		}
		if slices.Sort(ratios); ratios[3] > 1.5 {
			t.Errorf("%s: got %.2f times as much in the median, want 1.5 at most", name, ratios[3])
		} else {
			t.Logf("%s: %.2f times as much", name, ratios[3])
		}
	}
}

// replayCost is the processor time of a replay, and how many records it told.
func replayCost(t *testing.T, b *artifact.Bundle, tell bool, captures []string, times int) (time.Duration, uint64) {
	t.Helper()
	source := &inVLANs{files: captures, left: times, now: int64(time.Hour)}
	defer func() { source.from.Close() }()
	source.begin()
	cfg := enforcer.Config{Source: source, Dissectors: all.Dissectors(), Bundle: b}
	runtime.GC() // what the run before has left is not this one's
	began := processorTime(t)
	var sinks *sink.Set
	if tell {
		b.Sinks[0].Path = filepath.Join(t.TempDir(), "records.jsonl")
		sinks = sink.New(sink.Config{})
		cfg.Outlets, cfg.Metrics = &breathing{Set: sinks}, true
	}
	engine, err := enforcer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Run(context.Background()); err != nil {
		t.Logf("not read to the end: %v", err)
	}
	if sinks != nil {
		sinks.Close()
		if st := sinks.Status()[0]; len(st.Dropped) > 0 || st.Fault != "" {
			t.Errorf("records went nowhere: %+v", st)
		}
	}
	return processorTime(t) - began, engine.Stats().Records
}

// breathing gives the goroutine that writes a moment after each thousand records: in a capture, most
// flows end at its end, all at once. What waits would be memory that is used for the first time then.
type breathing struct {
	*sink.Set
	n int
}

func (b *breathing) Offer(i int, r record.Record) (taken bool) {
	taken = b.Set.Offer(i, r)
	if b.n++; b.n%1000 == 0 {
		time.Sleep(time.Millisecond)
	}
	return taken
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// gap makes ten thousand packets a second or more of them.
const gap = 100 * time.Microsecond

// inVLANs gives the Ethernet packets of captures as if they were one, some times over, each time in another
// VLAN, so that the flows are others. Packets lie at most gap apart: the captures are of hours in which
// little happened.
type inVLANs struct {
	from   *capture.Files
	files  []string
	left   int
	tagged [64 << 10]byte
	last   int64 // the last packet's time in its capture
	now    int64 // and here
}

func (s *inVLANs) begin() {
	if s.from != nil {
		s.from.Close()
	}
	s.from = capture.NewFiles(s.files)
}

// Next gives the next packet.
func (s *inVLANs) Next(raw *packet.Raw) error {
	for {
		err := s.from.Next(raw)
		var broken *packet.FileError
		switch {
		case errors.Is(err, packet.ErrFileEnd), errors.As(err, &broken):
			continue
		case errors.Is(err, io.EOF):
			if s.left--; s.left == 0 {
				return io.EOF
			}
			s.begin()
			continue
		case err != nil:
			return err
		case raw.LinkType != packet.LinkEthernet || len(raw.Data) < 14 || len(raw.Data) > len(s.tagged)-4:
			continue
		}
		b := append(append(s.tagged[:0], raw.Data[:12]...), 0x81, 0, byte(s.left>>8), byte(s.left))
		raw.Data, raw.Length, raw.File = append(b, raw.Data[12:]...), raw.Length+4, "all.pcap"
		at := raw.Timestamp
		s.now += min(max(at-s.last, 0), int64(gap))
		s.last, raw.Timestamp = at, s.now
		return nil
	}
}
