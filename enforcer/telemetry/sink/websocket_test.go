//go:build sink_websocket

package sink

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/netpol/netpol/compiler/artifact"
)

func webSink(t *testing.T) artifact.Sink {
	return artifact.Sink{
		Name: "w", Kind: artifact.SinkWebSocket, Address: fmt.Sprintf("127.0.0.1:%d", freePort(t)), Path: "/flows",
		Queue: 1 << 20, Records: []string{"flow"}, Origins: []string{"https://dashboard.example"}, MaxClients: 3,
	}
}

// dialWeb opens a WebSocket, once the sink is there.
func dialWeb(t *testing.T, url string, options *websocket.DialOptions) *websocket.Conn {
	t.Helper()
	var conn *websocket.Conn
	eventually(t, url, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var err error
		conn, _, err = websocket.Dial(ctx, url, options)
		return err == nil
	})
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

// TestWebSocket tells two clients of everything, a message each, refuses others,
// and says good-bye.
func TestWebSocket(t *testing.T) {
	one := webSink(t)
	s := New(Config{})
	s.Use([]artifact.Sink{one})
	url := "ws://" + one.Address + "/flows"
	page := &websocket.DialOptions{HTTPHeader: http.Header{"Origin": []string{"https://dashboard.example"}}}
	clients := []*websocket.Conn{dialWeb(t, url, nil), dialWeb(t, url, page)}
	eventually(t, "two clients", func() bool { return s.Status()[0].Clients == 2 })

	for what, refusal := range map[string]struct {
		url, origin string
		status      int
	}{"another path": {"ws://" + one.Address + "/", "", 404}, "another site's page": {url, "https://elsewhere.example", 403}, "a page whose name leads here": {url, "http://" + one.Address, 403}, "a page of a file": {url, "null", 403}} {
		_, answer, err := websocket.Dial(t.Context(), refusal.url, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": []string{refusal.origin}}})
		if err == nil || answer.StatusCode != refusal.status {
			t.Errorf("%s: got %v, %v", what, answer, err)
		}
	}
	dialWeb(t, url, nil)
	eventually(t, "three clients", func() bool { return s.Status()[0].Clients == 3 })
	if _, answer, err := websocket.Dial(t.Context(), url, nil); err == nil || answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a fourth client: got %v, %v", answer, err)
	}

	for i := range 100 {
		s.Offer(0, flowOf(fmt.Sprint("host", i)))
	}
	for _, c := range clients {
		for i := range 100 {
			kind, text, err := c.Read(t.Context())
			if err != nil || kind != websocket.MessageText || hostIn(text) != fmt.Sprint("host", i) || text[len(text)-1] != '}' {
				t.Fatalf("record %d: got %v %s, %v", i, kind, text, err)
			}
		}
	}
	_ = clients[0].CloseNow()
	eventually(t, "one to be gone", func() bool { return s.Status()[0].Clients == 2 })
	closed := make(chan error)
	go func() {
		_, _, err := clients[1].Read(t.Context())
		closed <- err
	}()
	s.Close()
	if err := <-closed; websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the client was told %v", err)
	}
}

// TestWebSocketOnTheWire speaks to the sink by hand: the handshake of RFC 6455,
// section 1.3, and a frame of text of section 5.2.
func TestWebSocketOnTheWire(t *testing.T) {
	one := webSink(t)
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{one})
	conn := dialEventually(t, one.Address)
	defer conn.Close()
	fmt.Fprintf(conn, "GET /flows HTTP/1.1\r\nHost: router\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	in := bufio.NewReader(conn)
	answer, err := http.ReadResponse(in, nil)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols || answer.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatalf("got %v, %v", answer, err)
	}
	answer.Body.Close()
	eventually(t, "a client", func() bool { return s.Status()[0].Clients == 1 })
	s.Offer(0, flowOf("wire"))
	head := make([]byte, 4)
	if _, err := io.ReadFull(in, head); err != nil {
		t.Fatal(err)
	}
	if head[0] != 0x81 || head[1] != 126 { // whole, text, not masked, of 126 to 65535 bytes
		t.Fatalf("got a frame %x", head)
	}
	text := make([]byte, int(head[2])<<8|int(head[3]))
	if _, err := io.ReadFull(in, text); err != nil || hostIn(text) != "wire" {
		t.Fatalf("got %s, %v", text, err)
	}
}

func dialEventually(t *testing.T, address string) net.Conn {
	t.Helper()
	var conn net.Conn
	eventually(t, address, func() bool {
		var err error
		conn, err = net.Dial("tcp", address)
		return err == nil
	})
	return conn
}

// smallDial connects with little room for what is not read.
func smallDial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err == nil {
		err = conn.(*net.TCPConn).SetReadBuffer(4096)
	}
	return conn, err
}

// TestWebSocketSlowClient lets go of the client that does not read, and of the one
// that never asks; the other gets everything.
func TestWebSocketSlowClient(t *testing.T) {
	one := webSink(t)
	one.Queue = 256 << 10
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{one})
	url := "ws://" + one.Address + "/flows"
	good := dialWeb(t, url, nil)
	transport := &http.Transport{DialContext: smallDial}
	defer transport.CloseIdleConnections()
	slow := dialWeb(t, url, &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	defer slow.CloseNow()
	mute := dialEventually(t, one.Address)
	defer mute.Close()
	eventually(t, "two clients", func() bool { return s.Status()[0].Clients == 2 })
	long, offered := strings.Repeat("long", 500), 0
	eventually(t, "the slow one to be let go", func() bool {
		for range 50 {
			s.Offer(0, flowOf(long))
			offered++
		}
		for range 50 {
			if _, text, err := good.Read(t.Context()); err != nil || hostIn(text) != long {
				t.Fatalf("the good client, after %d: %v, %+v", offered, err, s.Status()[0])
			}
		}
		st := s.Status()[0]
		return st.SlowClients == 1 && st.Clients == 1
	})
	begun := time.Now()
	_ = mute.SetReadDeadline(begun.Add(2 * requestTime))
	if _, err := mute.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
		t.Errorf("who never asks stays: %v after %v", err, time.Since(begun))
	}
}

// TestWebSocketTLS has a certificate itself, and asks clients for one.
func TestWebSocketTLS(t *testing.T) {
	ca, key := certificate(t, t.TempDir())
	one := webSink(t)
	one.CertFile, one.KeyFile, one.CAFile = ca, key, ca
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{one})
	text, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	pair, err := tls.LoadX509KeyPair(ca, key)
	if err != nil {
		t.Fatal(err)
	}
	with := func(config *tls.Config) *websocket.DialOptions {
		transport := &http.Transport{TLSClientConfig: config}
		t.Cleanup(transport.CloseIdleConnections)
		return &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}}
	}
	url := "wss://" + one.Address + "/flows"
	conn := dialWeb(t, url, with(&tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}}))
	eventually(t, "a client", func() bool { return s.Status()[0].Clients == 1 })
	s.Offer(0, flowOf("secret"))
	if _, text, err := conn.Read(t.Context()); err != nil || hostIn(text) != "secret" {
		t.Errorf("got %s, %v", text, err)
	}
	if _, _, err := websocket.Dial(t.Context(), url, with(&tls.Config{RootCAs: pool})); err == nil {
		t.Error("a client without a certificate is let in")
	}
	if _, _, err := websocket.Dial(t.Context(), url, with(&tls.Config{Certificates: []tls.Certificate{pair}})); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown server: got %v", err)
	}
	one.KeyFile = "/nowhere/key"
	s.Use([]artifact.Sink{one})
	eventually(t, "a fault", func() bool { return strings.Contains(s.Status()[0].Fault, "/nowhere/key") })
}
