package prom

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestText(t *testing.T) {
	text := &Text{}
	text.Family("a_total", Counter, "What a is.", Sample{Labels: []Label{{"x", "quote\" back\\ line\n bad\xff"}, {"y", "2"}}, Value: 1e18}, Sample{Value: 0.5})
	text.By("b", Gauge, "What b is.", "code", map[string]uint64{"z": 1, "a": 2})
	text.Histogram("c_seconds", "What c is.", []float64{0.1, 1}, []uint64{1, 2}, 3, 4.5)
	text.Family("d", Gauge, "Nothing.")
	want := `# HELP a_total What a is.
# TYPE a_total counter
a_total{x="quote\" back\\ line\n bad�",y="2"} 1e+18
a_total 0.5
# HELP b What b is.
# TYPE b gauge
b{code="a"} 2
b{code="z"} 1
# HELP c_seconds What c is.
# TYPE c_seconds histogram
c_seconds_bucket{le="0.1"} 1
c_seconds_bucket{le="1"} 2
c_seconds_bucket{le="+Inf"} 3
c_seconds_sum 4.5
c_seconds_count 3
# HELP d Nothing.
# TYPE d gauge
`
	if got := string(text.Bytes()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// served is the address of figures that are served until the test ends.
func served(t *testing.T) string {
	t.Helper()
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := probe.Addr().String()
	probe.Close()
	ctx, cancel := context.WithCancel(context.Background())
	wait, err := Listen(ctx, address, slog.New(slog.DiscardHandler), func() []byte { return []byte("up 1\n") })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); wait() })
	return address
}

// TestScrape asks as Prometheus does, and as others do.
func TestScrape(t *testing.T) {
	address := served(t)
	for _, tt := range []struct{ method, path, want, body string }{
		{"GET", "/metrics", "200 OK", "up 1\n"},
		{"GET", "/metrics?collect=all", "200 OK", "up 1\n"},
		{"HEAD", "/metrics", "200 OK", ""},
		{"GET", "/", "404 Not Found", "404 Not Found: metrics are at /metrics\n"},
		{"POST", "/metrics", "405 Method Not Allowed", "405 Method Not Allowed: metrics are at /metrics\n"},
	} {
		r, err := http.NewRequest(tt.method, "http://"+address+tt.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatalf("%s %s: %v", tt.method, tt.path, err)
		}
		body, err := io.ReadAll(a.Body)
		a.Body.Close()
		if err != nil || a.Status != tt.want || string(body) != tt.body {
			t.Errorf("%s %s: got %s, %q, %v", tt.method, tt.path, a.Status, body, err)
		}
	}
	if _, err := Listen(t.Context(), address, slog.New(slog.DiscardHandler), nil); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("a second time: got %v", err)
	}
}

// TestBadRequests sends what no scraper does.
func TestBadRequests(t *testing.T) {
	address := served(t)
	for name, in := range map[string]string{
		"no HTTP": "hello\r\n\r\n", "too long": "GET /metrics HTTP/1.1\r\nX: " + strings.Repeat("x", maxHead) + "\r\n\r\n", "another version": "GET /metrics HTTP/2\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, in)
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		answer := make([]byte, 12)
		if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "HTTP/1.1 400" {
			t.Errorf("%s: got %q, %v", name, answer, err)
		}
		conn.Close()
	}
	// Those who say nothing do not keep others waiting, beyond a bound.
	for range maxScrapers + 2 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
}

func FuzzRequest(f *testing.F) {
	f.Add([]byte("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		here, there := net.Pipe()
		go func() {
			_, _ = there.Write(in)
			there.Close()
		}()
		go func() { _, _ = io.Copy(io.Discard, there) }()
		answer(context.Background(), here, func() []byte { return nil })
	})
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "netpol.prom")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		go WriteFile(ctx, name, slog.New(slog.DiscardHandler), func() []byte { n++; return []byte(strings.Repeat("x", n)) })
		for want := range 3 {
			synctest.Wait()
			data, err := os.ReadFile(name)
			if err != nil || len(data) != want+1 {
				t.Errorf("got %q, %v", data, err)
			}
			time.Sleep(fileEvery)
		}
		cancel()
		synctest.Wait()
	})
	if list, err := os.ReadDir(dir); err != nil || len(list) != 0 {
		t.Errorf("left behind: %v, %v", list, err)
	}
}
