package grpc

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// client is one of a server's.
func client(t *testing.T, address string, c Config) *Client {
	t.Helper()
	var err error
	if c.URL, err = url.Parse(address); err != nil {
		t.Fatal(err)
	}
	if c.Time == 0 {
		c.Time = 10 * time.Second
	}
	out := New(c)
	t.Cleanup(out.Close)
	return out
}

// server speaks HTTP/2 without TLS.
func server(t *testing.T, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(answer)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func zip(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func unzip(encoding string, in io.Reader) (io.Reader, error) {
	if encoding != "gzip" {
		return nil, errors.New("not gzip")
	}
	return gzip.NewReader(in)
}

func framed(packed byte, message string) string {
	return string([]byte{packed, 0, 0, byte(len(message) >> 8), byte(len(message))}) + message
}

// details is a status that asks for a delay after another detail, as base64.
func details(delay []byte) string {
	any := func(name string, value []byte) []byte {
		b := protowire.AppendTag(nil, anyType, protowire.BytesType)
		b = protowire.AppendString(b, "type.googleapis.com/"+name)
		b = protowire.AppendTag(b, anyValue, protowire.BytesType)
		return protowire.AppendBytes(b, value)
	}
	info := protowire.AppendBytes(protowire.AppendTag(nil, retryDelay, protowire.BytesType), delay)
	status := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 14)
	for _, one := range [][]byte{any("google.rpc.DebugInfo", []byte("x")), any("google.rpc.RetryInfo", info)} {
		status = protowire.AppendBytes(protowire.AppendTag(status, statusDetails, protowire.BytesType), one)
	}
	return base64.RawStdEncoding.EncodeToString(status)
}

func duration(seconds, nanos uint64) []byte {
	b := protowire.AppendVarint(protowire.AppendTag(nil, durationSeconds, protowire.VarintType), seconds)
	return protowire.AppendVarint(protowire.AppendTag(b, durationNanos, protowire.VarintType), nanos)
}

// TestCall says what a server is asked: one message, compressed, with the protocol's headers
// in place of the operator's.
func TestCall(t *testing.T) {
	var path, sent string
	var header http.Header
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		in, err := gzip.NewReader(bytes.NewReader(body[prefixBytes:]))
		if err != nil || body[0] != 1 || int(body[4]) != len(body)-prefixBytes {
			t.Errorf("got %x, %v", body, err)
			return
		}
		text, _ := io.ReadAll(in)
		path, sent, header = r.URL.Path, string(text), r.Header
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Grpc-Encoding", "gzip")
		w.Header().Set("Trailer", "Grpc-Status")
		_, _ = io.WriteString(w, framed(1, string(zip([]byte("reply")))))
		w.Header().Set("Grpc-Status", "0")
	})
	c := client(t, s.URL, Config{
		Header: http.Header{"Authorization": {"Bearer sesame"}, "Content-Type": {"text/html"}}, Encoding: "gzip", Accepts: []string{"gzip", "zstd"},
		Pack: func(b []byte) ([]byte, error) { return zip(b), nil }, Unpack: unzip,
	})
	reply, status, err := c.Call("/a.Service/Do", []byte("request"))
	if string(reply) != "reply" || status != (Status{}) || err != nil {
		t.Errorf("got %q, %+v, %v", reply, status, err)
	}
	got := path + " " + sent
	for _, name := range []string{"Content-Type", "Te", "Grpc-Timeout", "Grpc-Encoding", "Grpc-Accept-Encoding", "Authorization"} {
		got += fmt.Sprintf(" %s=%s", name, header.Get(name))
	}
	if want := "/a.Service/Do request Content-Type=application/grpc Te=trailers Grpc-Timeout=10000m Grpc-Encoding=gzip Grpc-Accept-Encoding=gzip,zstd Authorization=Bearer sesame"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestAnswers has servers answer in all ways that there are, and in some that there are not.
func TestAnswers(t *testing.T) {
	only := func(status int, headers ...string) http.HandlerFunc { // without trailers
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			for i := 0; i < len(headers); i += 2 {
				w.Header().Set(headers[i], headers[i+1])
			}
			w.WriteHeader(status)
		}
	}
	with := func(body string, trailers ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Grpc-Encoding", "gzip")
			_, _ = io.WriteString(w, body)
			for i := 0; i < len(trailers); i += 2 {
				w.Header().Set(http.TrailerPrefix+trailers[i], trailers[i+1])
			}
		}
	}
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"plain", with(framed(0, "reply"), "Grpc-Status", "0"), `"reply" OK "" 0s false <nil>`},
		{"no message", with("", "Grpc-Status", "0"), `"" OK "" 0s false <nil>`},
		{"half a prefix", with("\x00\x00", "Grpc-Status", "0"), `"" OK "" 0s false <nil>`},
		{"half a message", with(framed(0, "reply")[:7], "Grpc-Status", "0"), `"" OK "" 0s false <nil>`},
		{"two messages", with(framed(0, "a")+framed(0, "b"), "Grpc-Status", "0"), `"a" OK "" 0s false <nil>`},
		{"compressed badly", with(framed(1, "reply"), "Grpc-Status", "0"), `"" OK "" 0s false <nil>`},
		{"headers alone", only(200, "Grpc-Status", "16", "Grpc-Message", "no%20token%E2%80%A6 %zz"), `"" UNAUTHENTICATED "no%20token%E2%80%A6 %zz" 0s false <nil>`},
		{"encoded message", only(200, "Grpc-Status", "16", "Grpc-Message", "no%20token%E2%80%A6"), `"" UNAUTHENTICATED "no token…" 0s false <nil>`},
		{"retry", with("", "Grpc-Status", "14", "Grpc-Status-Details-Bin", details(duration(3, 500_000_000))), `"" UNAVAILABLE "" 3.5s true <nil>`},
		{"retry at once", with("", "Grpc-Status", "8", "Grpc-Status-Details-Bin", details(nil)), `"" RESOURCE_EXHAUSTED "" 0s true <nil>`},
		{"retry in the past", with("", "Grpc-Status", "8", "Grpc-Status-Details-Bin", details(duration(1<<64-5, 0))), `"" RESOURCE_EXHAUSTED "" 0s true <nil>`},
		{"retry never", with("", "Grpc-Status", "8", "Grpc-Status-Details-Bin", details(duration(1<<62, 1<<62))+"=="), `"" RESOURCE_EXHAUSTED "" 24h0m1s true <nil>`},
		{"bad details", with("", "Grpc-Status", "8", "Grpc-Status-Details-Bin", "!!"), `"" RESOURCE_EXHAUSTED "" 0s false <nil>`},
		{"cut details", with("", "Grpc-Status", "8", "Grpc-Status-Details-Bin", details(duration(3, 0))[:20]), `"" RESOURCE_EXHAUSTED "" 0s false <nil>`},
		{"a code of tomorrow", with("", "Grpc-Status", "99"), `"" code 99 "" 0s false <nil>`},
		{"no code", with("", "Grpc-Status", "-1"), `"" UNKNOWN "no status: \"-1\"" 0s false <nil>`},
		{"no status", with("<html>"), `"" UNKNOWN "an answer of type \"text/html; charset=utf-8\"" 0s false <nil>`},
		{"HTTP", only(503), `"" UNAVAILABLE "HTTP 503 Service Unavailable" 0s false <nil>`},
		{"HTTP, elsewhere", only(307, "Location", "/b"), `"" UNKNOWN "HTTP 307 Temporary Redirect" 0s false <nil>`},
		{"HTTP, with a status", only(404, "Grpc-Status", "12"), `"" UNIMPLEMENTED "" 0s false <nil>`},
		{"a long message", with("", "Grpc-Status", "13", "Grpc-Message", strings.Repeat("x", 5000)), `"" INTERNAL "` + strings.Repeat("x", maxMessage) + `" 0s false <nil>`},
		{"a huge reply", with(strings.Repeat("x", 1<<20), "Grpc-Status", "0"), `"" OK "" 0s false read answer: it is longer than 64 KiB`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := client(t, server(t, test.answer).URL, Config{Unpack: unzip})
			reply, s, err := c.Call("/a.Service/Do", nil)
			if foreign := strings.HasPrefix(s.Message, "HTTP ") || strings.HasPrefix(s.Message, "an answer"); foreign != s.Foreign {
				t.Errorf("got %+v", s)
			}
			if got := fmt.Sprintf("%q %v %q %v %v %v", reply, s.Code, s.Message, s.RetryAfter, s.Retry, err); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestBomb has a reply that is a thousand times as long once it is unpacked: it is left alone.
func TestBomb(t *testing.T) {
	bomb := zip(make([]byte, 10<<20))
	s := server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Grpc-Encoding", "gzip")
		_, _ = io.WriteString(w, framed(1, string(bomb)))
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
	})
	if reply, status, err := client(t, s.URL, Config{Unpack: unzip}).Call("/a/b", nil); reply != nil || status.Code != OK || err != nil {
		t.Errorf("got %d bytes, %v, %v", len(reply), status, err)
	}
}

// TestNoHTTP2 calls servers that speak HTTP/1.1: nothing is sent to one with TLS.
func TestNoHTTP2(t *testing.T) {
	asked := false
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = asked || r.Method == http.MethodPost })
	plain := httptest.NewServer(handler)
	defer plain.Close()
	encrypted := httptest.NewTLSServer(handler)
	defer encrypted.Close()
	roots := x509.NewCertPool()
	roots.AddCert(encrypted.Certificate())
	silent, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: encrypted.TLS.Certificates}) // says nothing of protocols
	if err != nil {
		t.Fatal(err)
	}
	old := &http.Server{Handler: handler, TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}}
	defer old.Close()
	go func() { _ = old.Serve(silent) }()
	for _, address := range []string{plain.URL, encrypted.URL, "https://" + silent.Addr().String()} {
		c := client(t, address, Config{TLS: &tls.Config{RootCAs: roots}})
		if _, _, err := c.Call("/a/b", []byte("x")); !errors.Is(err, errNoHTTP2) {
			t.Errorf("%s: got %v", address, err)
		}
	}
	if asked {
		t.Error("a server of HTTP/1.1 was given a request")
	}
}

// TestBroken calls servers that break off: nobody knows what became of the call.
func TestBroken(t *testing.T) {
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/half" {
			_, _ = io.WriteString(w, "x")
			w.(http.Flusher).Flush()
		}
		panic(http.ErrAbortHandler) // RST_STREAM
	})
	c := client(t, s.URL, Config{})
	for _, path := range []string{"/", "/half"} {
		if _, _, err := c.Call(path, nil); err == nil || !strings.Contains(err.Error(), "INTERNAL_ERROR") {
			t.Errorf("%s: got %v", path, err)
		}
	}
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
			_ = conn.(*net.TCPConn).SetLinger(0)
			conn.Close() // RST
		}
	}()
	if _, _, err := client(t, "http://"+l.Addr().String(), Config{}).Call("/", nil); err == nil {
		t.Error("a connection that is reset is no error")
	}
}

// TestHangs calls a server that does not answer: the call is over when its time is.
func TestHangs(t *testing.T) {
	release := make(chan struct{})
	s := server(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	c := client(t, s.URL, Config{Time: 200 * time.Millisecond})
	begun := time.Now()
	if _, _, err := c.Call("/", nil); err == nil || err.Error() != "no answer within 200ms" || time.Since(begun) > 5*time.Second {
		t.Errorf("got %v after %v", err, time.Since(begun))
	}
}

func FuzzRetryInfo(f *testing.F) {
	f.Add(details(duration(3, 5)))
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if d, ok := retryInfo(s); d < 0 || d > 0 && !ok || d > 25*time.Hour {
			t.Errorf("got %v, %v", d, ok)
		}
	})
}
