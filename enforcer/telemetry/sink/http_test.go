//go:build sink_http

package sink

import (
	"bytes"
	"compress/gzip"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
)

// TestHTTP posts to a server that is down for a while: what waited arrives, once
// for each answer of success, compressed, with token and headers, over TLS.
func TestHTTP(t *testing.T) {
	var mu sync.Mutex
	var lines, requests int
	answers := []int{503, 429, 200, 400}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		requests++
		status := 200
		if len(answers) > 0 {
			status, answers = answers[0], answers[1:]
		}
		in, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		body, err := io.ReadAll(in)
		if err != nil || r.Header.Get("Authorization") != "Bearer sesame" || r.Header.Get("X-Site") != "7" || r.Header.Get("Content-Type") != "application/x-ndjson" {
			t.Errorf("got %v, headers %v", err, r.Header)
		}
		if status == 200 {
			lines += bytes.Count(body, []byte{'\n'})
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	dir := t.TempDir()
	ca, token := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "token")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(token, []byte("sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{{
		Name: "h", Kind: artifact.SinkHTTP, URL: server.URL + "/in", Queue: 1 << 20, Gzip: true, CAFile: ca, TokenFile: token,
		Headers: []artifact.Header{{Name: "X-Site", Value: "7"}}, Records: []string{"flow"},
	}})
	got := func() int { mu.Lock(); defer mu.Unlock(); return lines }
	for range 10 {
		s.Offer(0, flowOf("a"))
	}
	eventually(t, "ten records", func() bool { return got() == 10 })
	s.Offer(0, flowOf("refused"))
	before := s.Losses(0)
	eventually(t, "a refusal", func() bool { return s.Status()[0].Dropped["failed"] == 1 })
	if s.Losses(0) != 1 {
		t.Errorf("got %d losses, and %d before, want 1", s.Losses(0), before)
	}
	s.Offer(0, flowOf("after"))
	eventually(t, "the next one", func() bool { return got() == 11 })
	if requests != 5 {
		t.Errorf("got %d requests, want 5: ten records go in one", requests)
	}
}

func TestHTTPBatchesAreBounded(t *testing.T) {
	var most, sum int
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		most, sum = max(most, len(body)), sum+bytes.Count(body, []byte{'\n'})
	}))
	defer server.Close()
	r := newRunner(artifact.Sink{Name: "h", Kind: artifact.SinkHTTP, URL: server.URL, Queue: 8 << 20}, Config{})
	p, err := openHTTP(r)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	line := append(flowOf("x").AppendJSON(nil), '\n')
	all := bytes.Repeat(line, 3<<20/len(line))
	if n, err := p.write(all); err != nil || n != len(all) {
		t.Fatalf("wrote %d of %d: %v", n, len(all), err)
	}
	if most > maxBody || sum != len(all)/len(line) {
		t.Errorf("got %d records, %d bytes at most", sum, most)
	}
}
