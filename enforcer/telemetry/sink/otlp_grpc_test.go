//go:build sink_otlp

package sink

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	collectlogs "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// retrySoon is a google.rpc.Status with a RetryInfo of two seconds, as grpc-status-details-bin has it.
const retrySoon = "CA4aMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgIIAg"

// grpcServer answers calls with what it is told, and with success after that.
type grpcServer struct {
	*httptest.Server
	most int // bytes of a message

	mu      sync.Mutex
	answers []http.Header
	times   []time.Time
	paths   []string
	records int // of calls that were answered with success
}

func newGRPCServer(t *testing.T, answers ...http.Header) *grpcServer {
	s := &grpcServer{answers: answers, most: 4 << 20}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func trailers(words ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(words); i += 2 {
		h.Set(words[i], words[i+1])
	}
	return h
}

func (s *grpcServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.times, s.paths = append(s.times, time.Now()), append(s.paths, r.URL.Path)
	body, err := io.ReadAll(r.Body)
	var request collectlogs.ExportLogsServiceRequest
	if err == nil && strings.Contains(r.URL.Path, "LogsService") {
		err = proto.Unmarshal(body[5:], &request)
	}
	answer, reply := trailers("Grpc-Status", "0"), ""
	switch {
	case err != nil || len(body) != 5+int(binary.BigEndian.Uint32(body[1:5])):
		answer = trailers("Grpc-Status", "3", "Grpc-Message", fmt.Sprint(err, len(body)))
	case len(s.answers) > 0:
		answer, s.answers = s.answers[0], s.answers[1:]
		reply = answer.Get("Reply")
	case len(body) > s.most:
		answer = trailers("Grpc-Status", "8", "Grpc-Message", "grpc: received message larger than max")
	}
	w.Header().Set("Content-Type", "application/grpc")
	_, _ = io.WriteString(w, reply)
	for name := range answer {
		w.Header().Set(http.TrailerPrefix+name, answer.Get(name))
	}
	if answer.Get("Grpc-Status") == "0" && request.ResourceLogs != nil {
		s.records += len(request.ResourceLogs[0].ScopeLogs[0].LogRecords)
	}
}

func (s *grpcServer) seen() (records, calls int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.records, len(s.times)
}

func (s *grpcServer) sink() artifact.Sink {
	return artifact.Sink{Name: "o", Kind: artifact.SinkOTLP, Transport: "grpc", URL: s.URL, Queue: 1 << 20, Records: []string{"flow", "agent_status"}}
}

// TestGRPCLater has a collector give each of the answers after which records are sent again,
// and no earlier than it says.
func TestGRPCLater(t *testing.T) {
	for _, test := range []struct {
		code    int
		details string
		least   time.Duration
	}{{1, "", retryLeast}, {4, "", retryLeast}, {8, retrySoon, 2 * time.Second}, {10, "", retryLeast}, {11, "", retryLeast}, {14, retrySoon, 2 * time.Second}, {15, "?", retryLeast}} {
		t.Run(fmt.Sprint(test.code), func(t *testing.T) {
			t.Parallel()
			server := newGRPCServer(t, trailers("Grpc-Status", fmt.Sprint(test.code), "Grpc-Status-Details-Bin", test.details))
			triesAgain(t, server.sink(), &server.times, func() int { n, _ := server.seen(); return n }, test.least)
		})
	}
}

// TestGRPCAnswers has a collector give answers that refuse records: they are not sent again,
// counted, and told until something is taken.
func TestGRPCAnswers(t *testing.T) {
	partial, _ := proto.Marshal(&collectlogs.ExportLogsServiceResponse{PartialSuccess: &collectlogs.ExportLogsPartialSuccess{RejectedLogRecords: 2, ErrorMessage: "too old"}})
	server := newGRPCServer(t, trailers("Grpc-Status", "3", "Grpc-Message", "bad%0Adata"), trailers("Grpc-Status", "0", "Reply", string(append([]byte{0, 0, 0, 0, byte(len(partial))}, partial...))),
		trailers("Grpc-Status", "8", "Grpc-Message", "quota"), trailers("Grpc-Status", "12"), trailers())
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{server.sink()})
	for i, want := range []string{
		`the collector at URL answers INVALID_ARGUMENT ("bad\ndata") to log records`,
		`the collector refuses 2 of 1 log records: "too old"`,
		`the collector at URL answers RESOURCE_EXHAUSTED ("quota") to log records`,
		"the collector at URL answers UNIMPLEMENTED to log records",
		`the server at URL does not answer as gRPC does (an answer of type "application/grpc"): is this its port for OTLP over HTTP`,
	} {
		want = strings.Replace(want, "URL", server.URL, 1)
		s.Offer(0, flowOf("refused"))
		eventually(t, want, func() bool { return s.Status()[0].Fault == want })
		if st := s.Status()[0]; !st.Refused || st.Dropped["failed"] != []uint64{1, 3, 4, 5, 6}[i] {
			t.Errorf("%s: got %+v", want, st)
		}
	}
	s.Offer(0, flowOf("after"))
	eventually(t, "no fault", func() bool { return s.Status()[0].Fault == "" })
	if records, calls := server.seen(); calls != 6 || records != 2 {
		t.Errorf("got %d calls with %d records that were taken, want 6 and 2", calls, records)
	}
}

// TestGRPCTakesLess has a collector that takes little at a time: requests become shorter, and
// only a record that is too long by itself is given up.
func TestGRPCTakesLess(t *testing.T) {
	server := newGRPCServer(t)
	server.most = 20 << 10
	one := server.sink()
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{one})
	for range 500 {
		s.Offer(0, flowOf("x"))
	}
	s.Offer(0, flowOf(strings.Repeat("x", 21<<10)))
	for range 500 {
		s.Offer(0, flowOf("x"))
	}
	eventually(t, "all but one", func() bool { n, _ := server.seen(); return n == 1000 })
	eventually(t, "one that failed", func() bool { return s.Status()[0].Dropped["failed"] == 1 })
	if _, calls := server.seen(); calls > 200 {
		t.Errorf("it took %d calls", calls)
	}
}

// TestGRPCSpool has no collector while more comes than the queue has room for: all of it arrives.
func TestGRPCSpool(t *testing.T) {
	server := newGRPCServer(t)
	one := server.sink()
	server.Close()
	one.Queue, one.Spool, one.SpoolSize = 128<<10, filepath.Join(t.TempDir(), "spool"), 16<<20
	s := New(Config{})
	use(t, s, one)
	for range 1000 {
		s.Offer(0, flowOf("x"))
		for s.slot(0).queue.halfFull() {
			time.Sleep(time.Millisecond)
		}
	}
	eventually(t, "records on disk", func() bool { return s.Status()[0].SpoolRecords > 500 })
	s.Close()
	server = newGRPCServer(t)
	one.URL = server.URL
	s = New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{one})
	eventually(t, "all of them", func() bool { n, _ := server.seen(); return n == 1000 })
	if st := s.Status()[0]; len(st.Dropped) > 0 {
		t.Errorf("got %+v", st)
	}
}

// TestGRPCTry tries a sink of gRPC with a record of metrics, and again when the server is gone.
func TestGRPCTry(t *testing.T) {
	server := newGRPCServer(t)
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{server.sink()})
	if got := s.Try(nil, statusRecord(), 10*time.Second); got[0].Outcome != telemetry.TrialTaken || server.paths[0] != "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" {
		t.Errorf("got %+v, paths %v", got, server.paths)
	}
	server.CloseClientConnections()
	server.Close()
	if got := s.Try(nil, statusRecord(), 10*time.Second); got[0].Outcome != telemetry.TrialWaits || got[0].Took > 6000 || !strings.HasSuffix(got[0].Fault, "connection refused") {
		t.Errorf("got %+v", got)
	}
}

// TestGRPCForHTTP has a sink of OTLP over HTTP meet a server that begins as those of gRPC do,
// with its settings (RFC 9113, 3.4).
func TestGRPCForHTTP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0})
			time.AfterFunc(time.Second, func() { conn.Close() })
		}
	}()
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{{Name: "o", Kind: artifact.SinkOTLP, URL: "http://" + l.Addr().String(), Queue: 1 << 20, Records: []string{"agent_status"}}})
	s.Offer(0, &record.AgentStatus{Head: record.Head{Type: record.KindAgentStatus, SchemaVersion: 1, Timestamp: 1}})
	eventually(t, "a fault", func() bool { return s.Status()[0].Fault != "" })
	if st := s.Status()[0]; st.Fault != "the server at http://"+l.Addr().String()+" does not answer as HTTP does: is this its port for OTLP over gRPC" {
		t.Errorf("got %+v", st)
	}
}
