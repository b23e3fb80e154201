//go:build sink_websocket

package sink

import (
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

// TestLobby has strangers hold connections that never become clients: by saying nothing, by a body that
// does not end, by not reading what they are told. They are let go in time, and however many
// there are, a client finds its way in after them.
func TestLobby(t *testing.T) {
	one := webSink(t)
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{one})
	dialEventually(t, one.Address).Close()
	var held []net.Conn
	for i := range 3 * lobbySeats {
		conn, err := net.Dial("tcp", one.Address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		held = append(held, conn)
		switch i % 3 {
		case 1:
			fmt.Fprint(conn, "POST /flows HTTP/1.1\r\nHost: router\r\nContent-Length: 200000\r\n\r\nx")
		case 2:
			fmt.Fprint(conn, "GET /elsewhere HTTP/1.1\r\nHost: router\r\n\r\n")
		}
	}
	began := time.Now()
	for _, conn := range held {
		conn.SetReadDeadline(began.Add(2*requestTime + 5*time.Second))
		if _, err := io.Copy(io.Discard, conn); isTimeout(err) {
			t.Fatalf("a stranger is still there after %v", time.Since(began))
		}
	}
	dialWeb(t, "ws://"+one.Address+"/flows", nil)
	eventually(t, "a client", func() bool { return s.Status()[0].Clients == 1 })
}

// TestLobbySeats: there are never more connections than clients and seats.
func TestLobbySeats(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	door := &lobby{Listener: l, most: 2}
	guests := make(chan net.Conn, 10)
	go func() {
		for {
			conn, err := door.Accept()
			if err != nil {
				return
			}
			guests <- conn
		}
	}()
	var came []net.Conn
	for range 4 {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		came = append(came, conn)
	}
	first := <-guests
	<-guests
	for _, refused := range came[2:] {
		if _, err := refused.Read(make([]byte, 1)); err == nil {
			t.Error("who is refused was told something")
		}
	}
	if n := door.inside.Load(); n != 2 {
		t.Errorf("%d are inside, want 2", n)
	}
	first.Close()
	first.Close() // once is enough
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	(<-guests).Close()
	if n := door.inside.Load(); n != 1 {
		t.Errorf("%d are inside, want 1", n)
	}
}

func isTimeout(err error) bool {
	var failed net.Error
	return errors.As(err, &failed) && failed.Timeout()
}
