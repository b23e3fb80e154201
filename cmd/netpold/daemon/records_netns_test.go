package daemon

import (
	"bufio"
	"bytes"
	"encoding/json"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// told is what tests read of a record.
type told struct {
	Type   string
	Reason string
	Policy struct{ Name, File string }
	Flow   struct {
		Digest       string
		LocalIP      string `json:"local_ip"`
		OtherPort    int    `json:"other_port"`
		LocalBytes   int    `json:"local_bytes"`
		OtherPackets int    `json:"other_packets"`
		TotalBytes   int    `json:"total_bytes"`
		TotalPackets int    `json:"total_packets"`
		KPI          struct {
			Packets int
			Server  int `json:"rtt_server_us"`
			Client  int `json:"rtt_client_us"`
		}
		Labels []string
	}
	AgentVersion string `json:"agent_version"`
	Interface    string
	Input        string
}

// withSinks has a file that is told of everything, and a socket that policy
// "port" notifies.
func (s *site) withSinks() (file, socket string) {
	dir := s.t.TempDir()
	file, socket = filepath.Join(dir, "events.jsonl"), filepath.Join(dir, "events.sock")
	s.bundle.Policies[0].File, s.bundle.Policies[0].Line = "site.netpol.hcl", 7
	s.bundle.Sinks = []artifact.Sink{
		{
			Name: "file", Kind: artifact.SinkFile, Path: file, Queue: 1 << 20, Interval: time.Second,
			Records: []string{"flow", "flow_update", "flow_stats", "flow_end", "agent_status", "interface_stats", "endpoints"},
		},
		{Name: "socket", Kind: artifact.SinkUnix, Path: socket, Queue: 1 << 20},
	}
	s.bundle.Program.Effects[0].Notify = []int{1}
	return file, socket
}

// inFile are the records in a file, of one type.
func (s *site) inFile(name, kind string) (list []told) {
	s.t.Helper()
	data, _ := os.ReadFile(name)
	for line := range bytes.Lines(data) {
		var r told
		if err := json.Unmarshal(line, &r); err != nil {
			s.t.Fatalf("%s: %v", line, err)
		}
		if r.Type == kind {
			list = append(list, r)
		}
	}
	return list
}

// TestRecordsArrive sends traffic through the kernel: what was counted of a
// connection is in the file when it is over, to the byte, and who listens on the
// socket is told of the policy that matches it.
func TestRecordsArrive(t *testing.T) {
	s := newSite(t)
	file, socket := s.withSinks()
	e, stop := s.netpold(slog.New(slog.DiscardHandler))
	var conn net.Conn
	s.waitFor("the socket", func() bool {
		var err error
		conn, err = net.Dial("unix", socket)
		return err == nil
	})
	defer conn.Close()
	s.waitFor("a client", func() bool { return e.sinks.Status()[1].Clients == 1 })
	_, say := s.talk()
	say(8, 100)

	var match told
	conn.SetReadDeadline(time.Now().Add(patience))
	line, err := bufio.NewReader(conn).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(line, &match); err != nil {
		t.Fatal(err)
	}
	if match.Type != "policy_match" || match.Policy.Name != "port" || match.Policy.File != "site.netpol.hcl" || match.Flow.OtherPort != int(s.server.Port()) {
		t.Errorf("got %s", line)
	}
	say(100, 1000)
	s.waitFor("statistics of it", func() bool {
		list := s.inFile(file, "flow_stats")
		return len(list) > 0 && list[len(list)-1].Flow.OtherPackets == 108
	})
	s.waitFor("netpold's own", func() bool { return len(s.inFile(file, "agent_status")) > 0 })
	if links := s.inFile(file, "interface_stats"); len(links) == 0 {
		t.Error("no interface is told of")
	}
	s.Router.Run("conntrack", "-D", "-p", "udp")
	s.waitFor("its end", func() bool { return len(s.inFile(file, "flow_end")) == 1 })
	end := s.inFile(file, "flow_end")[0]
	if want := 8*(28+100) + 100*(28+1000); end.Reason != "expired" || end.Flow.LocalBytes != want || end.Flow.TotalBytes != 2*want || end.Flow.Digest != match.Flow.Digest {
		t.Errorf("got %+v, want %d bytes each way", end, want)
	}

	// Another bundle with the same sinks: the client stays.
	next := *s.bundle
	next.Settings.InspectPacket = 7
	if err := e.reload(&next); err != nil {
		t.Fatal(err)
	}
	s.waitFor("the other bundle", func() bool { return e.counters()["reloads"] == 1 })
	_, say = s.talk()
	say(8, 10)
	if _, err := bufio.NewReader(conn).ReadBytes('\n'); err != nil {
		t.Errorf("after a reload: %v", err)
	}
	stop()
	if _, err := os.Stat(socket); err == nil {
		t.Error("the socket outlives netpold")
	}
	if ends := s.inFile(file, "flow_end"); len(ends) != 2 || ends[1].Reason != "stopped" {
		t.Errorf("got ends %+v, want one of the connection that was alive when netpold stopped", ends)
	}
	kinds := conforms(t, file)
	for _, kind := range []string{"flow_stats", "flow_end", "agent_status", "interface_stats"} {
		if !kinds[kind] {
			t.Errorf("no %s was held against its schema", kind)
		}
	}
}

// TestHungCollector has a client that reads nothing, and a disk that takes
// nothing, while connections come: they are labelled all the same.
func TestHungCollector(t *testing.T) {
	s := newSite(t)
	_, socket := s.withSinks()
	s.bundle.Sinks[0].Path = "/dev/full/none"
	s.bundle.Sinks[1].Records = []string{record.KindFlow.String(), record.KindFlowEnd.String()}
	s.bundle.Sinks[1].Queue = 4096
	e, _ := s.netpold(slog.New(slog.DiscardHandler))
	s.waitFor("the socket", func() bool {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			t.Cleanup(func() { conn.Close() })
		}
		return err == nil
	})
	for range 20 {
		orig, say := s.talk()
		say(6, 10)
		s.labelled(orig, bitPort)
	}
	for _, one := range e.sinks.Status() {
		r, ok := sinkReason(&one)
		if one.Name == "file" && (!ok || r.Code != "sink-broken" || r.About != "file" || !strings.Contains(r.Detail, "not a directory")) {
			t.Errorf("got %+v (%+v), want a fault", r, one)
		}
	}
}
