package sink

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

// message is RFC 5424, section 6, as far as netpold uses it.
var message = regexp.MustCompile(`^<(\d+)>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ netpold \d+ flow - (\{.*\})$`)

func syslogSink(transport, address, path string) artifact.Sink {
	return artifact.Sink{Name: "s", Kind: artifact.SinkSyslog, Transport: transport, Address: address, Path: path, Facility: 16, Queue: 1 << 20, Records: []string{"flow"}}
}

func checkMessage(t *testing.T, got, name string) {
	t.Helper()
	m := message.FindStringSubmatch(got)
	if m == nil || m[1] != fmt.Sprint(16*8+6) || !strings.Contains(m[2], name) {
		t.Errorf("got %q, want a message of local0.info with %s", got, name)
	}
}

func TestSyslogDatagrams(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for _, network := range []string{"udp", "unixgram"} {
		address := "127.0.0.1:0"
		if network == "unixgram" {
			address = path
		}
		l, err := net.ListenPacket(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		one := syslogSink("udp", l.LocalAddr().String(), "")
		if network == "unixgram" {
			one = syslogSink("unix", "", path)
		}
		s := New(Config{})
		s.Use([]artifact.Sink{one})
		s.Offer(0, flowOf("first"))
		s.Offer(0, flowOf(strings.Repeat("x", 300_000))) // longer than any datagram
		s.Offer(0, flowOf("last"))
		buf := make([]byte, 64<<10)
		for _, want := range []string{"first", "last"} {
			l.SetReadDeadline(time.Now().Add(20 * time.Second))
			n, _, err := l.ReadFrom(buf)
			if err != nil {
				t.Fatal(err)
			}
			checkMessage(t, string(buf[:n]), want)
		}
		s.Close()
		if n := s.Status()[0].Dropped["failed"]; n != 1 {
			t.Errorf("%s: got %d failed, want the long one", network, n)
		}
	}
}

// TestSyslogOverTCP has the collector go away and come back: what was offered
// meanwhile arrives.
func TestSyslogOverTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{syslogSink("tcp", address, "")})
	read := func(conn net.Conn, want string) {
		t.Helper()
		conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		in := bufio.NewReader(conn)
		var n int
		if _, err := fmt.Fscanf(in, "%d ", &n); err != nil {
			t.Fatal(err)
		}
		msg := make([]byte, n)
		if _, err := io.ReadFull(in, msg); err != nil {
			t.Fatal(err)
		}
		checkMessage(t, string(msg), want)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s.Offer(0, flowOf("before"))
	read(conn, "before")
	conn.Close()
	l.Close()
	eventually(t, "a broken connection", func() bool { s.Offer(0, flowOf("lost")); return s.Status()[0].Fault != "" })
	if l, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if conn, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	read(conn, "lost")
	eventually(t, "recovery", func() bool { return s.Status()[0].Fault == "" })
}
