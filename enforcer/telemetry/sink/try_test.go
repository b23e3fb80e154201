package sink

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

func statusRecord() record.Record {
	return &record.AgentStatus{Head: record.Head{Type: record.KindAgentStatus, SchemaVersion: 1, Timestamp: 1}}
}

// TestTry tries sinks of each fate.
func TestTry(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	closed.Close()
	collector, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer collector.Close()
	away := artifact.Sink{Name: "away", Kind: artifact.SinkSyslog, Transport: "tcp", Address: nobody, Queue: 1 << 20}
	spooled := artifact.Sink{Name: "spooled", Kind: artifact.SinkSyslog, Transport: "tcp", Address: nobody, Queue: 1 << 20, Spool: filepath.Join(dir, "spool"), SpoolSize: 1 << 20}
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{
		away,
		{Name: "file", Kind: artifact.SinkFile, Path: log, Queue: 1 << 20},
		{Name: "flows", Kind: artifact.SinkIPFIX, Transport: "udp", Address: collector.LocalAddr().String(), Queue: 1 << 20, MessageSize: 1400, TemplateInterval: time.Minute, TemplateMessages: 1000},
		{Name: "sent", Kind: artifact.SinkUDP, Address: collector.LocalAddr().String(), Queue: 1 << 20},
		spooled,
		{Name: "unheard", Kind: artifact.SinkUnix, Path: filepath.Join(dir, "socket"), Queue: 1 << 20},
	})
	eventually(t, "faults", func() bool { st := s.Status(); return st[0].Fault != "" && st[4].Fault != "" })
	var got []string
	for _, one := range s.Try(nil, statusRecord(), 10*time.Second) {
		fault := strings.ReplaceAll(one.Fault, nobody, "NOBODY")
		got = append(got, fmt.Sprintf("%s %s %v %q", one.Name, one.Outcome, one.Outcome.Good(), fault))
	}
	want := []string{
		`away waits false "dial tcp NOBODY: connect: connection refused"`,
		`file taken true ""`,
		`flows nothing true ""`,
		`sent sent true ""`,
		`spooled spooled false "dial tcp NOBODY: connect: connection refused"`,
		`unheard unheard true ""`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if text, err := os.ReadFile(log); err != nil || !strings.HasPrefix(string(text), `{"type":"agent_status"`) {
		t.Errorf("got %q, %v", text, err)
	}
	if got := s.Try([]string{"nobody"}, statusRecord(), time.Second); len(got) != 0 {
		t.Errorf("got %+v of a name that no sink has", got)
	}
}

// TestTryMendsAtOnce has a place come back while its sink leaves it alone: a trial does not wait
// for the next attempt.
func TestTryMendsAtOnce(t *testing.T) {
	// An address of its own: what else listens, or connects, here takes ports of 127.0.0.1.
	closed, err := net.Listen("tcp", "127.87.65.43:0")
	if err != nil {
		t.Fatal(err)
	}
	at := closed.Addr().String()
	closed.Close()
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{{Name: "s", Kind: artifact.SinkSyslog, Transport: "tcp", Address: at, Queue: 1 << 20}})
	eventually(t, "four attempts, after which it waits for four seconds", func() bool { return s.slot(0).trial.opens.Load() == 4 })
	back, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	got := s.Try(nil, statusRecord(), 10*time.Second)
	if got[0].Outcome != telemetry.TrialSent || got[0].Took > 3000 {
		t.Errorf("got %+v", got[0])
	}
}
