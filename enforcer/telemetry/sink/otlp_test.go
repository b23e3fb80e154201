//go:build sink_otlp

package sink

import (
	"compress/gzip"
	"fmt"
	"io"
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

// otlpServer answers requests as it is told, and with success after that.
type otlpServer struct {
	*httptest.Server
	mu      sync.Mutex
	answers []func(http.ResponseWriter)
	paths   []string
	times   []time.Time
	records int // of requests that were answered with success
	fault   string
}

func status(code int, headers ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
	}
}

// partly takes all but some log records.
func partly(refused int64) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		body, _ := proto.Marshal(&collectlogs.ExportLogsServiceResponse{PartialSuccess: &collectlogs.ExportLogsPartialSuccess{RejectedLogRecords: refused, ErrorMessage: "too old"}})
		_, _ = w.Write(body)
	}
}

func newOTLPServer(t *testing.T, answers ...func(http.ResponseWriter)) *otlpServer {
	s := &otlpServer{answers: answers}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *otlpServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths, s.times = append(s.paths, r.URL.Path), append(s.times, time.Now())
	in, err := gzip.NewReader(r.Body)
	if err != nil {
		s.fault = err.Error()
		return
	}
	body, err := io.ReadAll(in)
	var request collectlogs.ExportLogsServiceRequest
	if r.URL.Path == "/base/v1/logs" && err == nil {
		err = proto.Unmarshal(body, &request)
	}
	if err != nil || r.Header.Get("Content-Type") != "application/x-protobuf" || r.Header.Get("Authorization") != "Bearer sesame" || r.Header.Get("X-Site") != "7" {
		s.fault = fmt.Sprint(err, r.Header)
	}
	answer := status(200)
	if len(s.answers) > 0 {
		answer, s.answers = s.answers[0], s.answers[1:]
	}
	recorder := httptest.NewRecorder()
	answer(recorder)
	for name, values := range recorder.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(recorder.Code)
	_, _ = w.Write(recorder.Body.Bytes())
	if recorder.Code == 200 && request.ResourceLogs != nil {
		s.records += len(request.ResourceLogs[0].ScopeLogs[0].LogRecords)
	}
}

func (s *otlpServer) seen() (records int, paths []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.records, s.paths
}

func (s *otlpServer) sink(t *testing.T) artifact.Sink {
	return artifact.Sink{
		Name: "o", Kind: artifact.SinkOTLP, URL: s.URL + "/base/", Queue: 1 << 20, Compress: "gzip", TokenFile: secretFile(t, "sesame"),
		Headers: []artifact.Header{{Name: "X-Site", Value: "7"}}, Records: []string{"flow", "agent_status"},
	}
}

// TestOTLPLater has a collector give each of the answers after which records are sent
// again, and no earlier than it says.
func TestOTLPLater(t *testing.T) {
	for _, test := range []struct {
		code  int
		after string
		least time.Duration
	}{{429, "2", 2 * time.Second}, {502, "", retryLeast}, {503, "x", retryLeast}, {504, "0", retryLeast}} {
		t.Run(fmt.Sprint(test.code), func(t *testing.T) {
			t.Parallel()
			server := newOTLPServer(t, status(test.code, "Retry-After", test.after))
			triesAgain(t, server.sink(t), &server.times, func() int { n, _ := server.seen(); return n }, test.least)
		})
	}
}

// triesAgain has a sink tell of a record that its place takes at the second time only, by times,
// at least so long after the first.
func triesAgain(t *testing.T, to artifact.Sink, times *[]time.Time, taken func() int, least time.Duration) {
	t.Helper()
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{to})
	s.Offer(0, flowOf("a"))
	eventually(t, "the record", func() bool { return taken() == 1 })
	if waited := (*times)[1].Sub((*times)[0]); waited < least {
		t.Errorf("tried again after %v, and not %v", waited, least)
	}
	if st := s.Status()[0]; len(st.Dropped) > 0 {
		t.Errorf("got %+v", st)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC)
	for word, want := range map[string]time.Duration{
		"": 0, "x": 0, "-5": 0, "120": 2 * time.Minute, "86400": maxRetryAfter,
		"Sun, 22 Nov 2026 13:00:30 GMT": 30 * time.Second, "Sun, 22 Nov 2026 12:00:00 GMT": 0,
	} {
		if got := retryAfter(word, now); got != want {
			t.Errorf("%q: got %v, want %v", word, got, want)
		}
	}
}

// TestOTLPAnswers has a collector give answers that refuse records: they are not sent again,
// counted, and told until something is taken.
func TestOTLPAnswers(t *testing.T) {
	server := newOTLPServer(t, status(400), partly(2), status(301, "Location", "/elsewhere"), status(500))
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{server.sink(t)})
	url := server.URL + "/base/v1/logs"
	for i, want := range []string{
		"the server answers 400 Bad Request to " + url,
		`the collector refuses 2 of 1 log records: "too old"`,
		"the server answers 301 Moved Permanently to " + url,
		"the server answers 500 Internal Server Error to " + url,
	} {
		s.Offer(0, flowOf("refused"))
		eventually(t, want, func() bool { return s.Status()[0].Fault == want })
		if !s.Status()[0].Refused {
			t.Errorf("%s: it is no refusal", want)
		}
		if got, want := s.Status()[0].Dropped["failed"], []uint64{1, 3, 4, 5}[i]; got != want {
			t.Errorf("got %d that failed, want %d", got, want)
		}
	}
	s.Offer(0, flowOf("after"))
	eventually(t, "no fault", func() bool { return s.Status()[0].Fault == "" })
	server.mu.Lock()
	defer server.mu.Unlock()
	if len(server.paths) != 5 || server.fault != "" {
		t.Errorf("got %d requests, want 5; %s", len(server.paths), server.fault)
	}
}

// TestOTLPHeadersFile has headers in a file, one of which takes the place of the policy's.
func TestOTLPHeadersFile(t *testing.T) {
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer server.Close()
	one := artifact.Sink{Name: "o", Kind: artifact.SinkOTLP, URL: server.URL, Queue: 1 << 20, HeadersFile: secretFile(t, "# of the vendor\n\napi-key:  sesame: 7 \nX-Site: 8"), Headers: []artifact.Header{{Name: "X-Site", Value: "7"}}}
	s := New(Config{})
	s.Use([]artifact.Sink{one})
	if tried := s.Try(nil, statusRecord(), 10*time.Second); tried[0].Outcome != telemetry.TrialTaken || got.Get("Api-Key") != "sesame: 7" || got.Get("X-Site") != "8" {
		t.Errorf("got %+v, headers %v", tried, got)
	}
	s.Close()
	for text, want := range map[string]string{
		"api key: x": "line 2 of FILE is not a header: write it as Name: value", "api-key": "line 2 of FILE is not a header: write it as Name: value",
		"api-key: \x01": `net/http: invalid header field value for "Api-Key"`,
	} {
		one.HeadersFile = secretFile(t, "X-Site: 1\n"+text)
		s := New(Config{})
		s.Use([]artifact.Sink{one})
		s.Offer(0, flowOf("a"))
		want = strings.Replace(want, "FILE", one.HeadersFile, 1)
		eventually(t, want, func() bool { return strings.Contains(s.Status()[0].Fault, want) })
		s.Close()
	}
}

// TestOTLPSignals has records of both signals in one batch: each goes to its own path,
// in order, and only what was not taken is sent again.
func TestOTLPSignals(t *testing.T) {
	server := newOTLPServer(t, status(200), status(503))
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{server.sink(t)})
	s.Offer(0, flowOf("a"))
	s.Offer(0, &record.AgentStatus{Head: record.Head{Type: record.KindAgentStatus, SchemaVersion: 1, Timestamp: 1}})
	s.Offer(0, flowOf("b"))
	eventually(t, "both log records", func() bool { n, _ := server.seen(); return n == 2 })
	if _, paths := server.seen(); fmt.Sprint(paths) != "[/base/v1/logs /base/v1/metrics /base/v1/metrics /base/v1/logs]" {
		t.Errorf("got %v", paths)
	}
}

// TestOTLPSpool has no collector while more comes than the queue has room for: all of it
// arrives, in order of the requests.
func TestOTLPSpool(t *testing.T) {
	server := newOTLPServer(t)
	one := server.sink(t)
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
	server = newOTLPServer(t)
	one.URL = server.URL + "/base"
	s = New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{one})
	eventually(t, "all of them", func() bool { n, _ := server.seen(); return n == 1000 })
	if st := s.Status()[0]; len(st.Dropped) > 0 {
		t.Errorf("got %+v", st)
	}
}
