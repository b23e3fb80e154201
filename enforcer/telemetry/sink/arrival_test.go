package sink

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

// TestSyslogServerRestarts has a log server close each connection after a message, as one that
// is restarted does: no message is lost, although the kernel takes one that goes to a
// connection that the other end has closed.
func TestSyslogServerRestarts(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(20 * time.Second))
	s := New(Config{})
	defer s.Close()
	s.Use([]artifact.Sink{syslogSink("tcp", l.Addr().String(), "")})
	for i, abruptly := range []bool{false, false, true, false} {
		name := fmt.Sprint("host", i, ".")
		s.Offer(0, flowOf(name))
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if abruptly {
			_ = conn.(*net.TCPConn).SetLinger(0)
		}
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		var n int
		in := bufio.NewReader(conn)
		_, err = fmt.Fscanf(in, "%d ", &n)
		got := make([]byte, n)
		if _, readErr := io.ReadFull(in, got); err != nil || readErr != nil || !strings.Contains(string(got), name) {
			t.Fatalf("message %d: got %q, %v", i, got, err)
		}
		conn.Close()
		time.Sleep(20 * time.Millisecond) // what the other end has closed is known here
	}
}

// TestFaultsAreLoggedOnce has a log server that takes connections and resets them: that is
// logged once, though each connection is from another port.
func TestFaultsAreLoggedOnce(t *testing.T) {
	var log syncBuffer
	r := newRunner(syslogSink("tcp", "192.0.2.1:514", ""), Config{Log: textLog(&log)})
	op := func(port int) error {
		return &net.OpError{Op: "write", Net: "tcp", Source: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: port}, Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 514}, Err: errors.New("connection reset by peer")}
	}
	for i := range 10 {
		r.tell("write to sink", op(40000+i))
		r.tell("open sink", errors.New("connection refused"))
		r.opened()
	}
	if got := r.status(&r.sink).Fault; got != "connection refused" {
		t.Errorf("a sink that opens and cannot be written shows %q", got)
	}
	r.tell("write to sink", nil)
	want := []string{"write tcp 192.0.2.1:514: connection reset by peer", "connection refused", "sink is open again"}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != len(want) {
		t.Fatalf("got %d lines, want %d:\n%s", len(lines), len(want), log.String())
	}
	for i := range want {
		if !strings.Contains(lines[i], want[i]) {
			t.Errorf("line %d: got %s, want %s", i, lines[i], want[i])
		}
	}
}

// TestFaultOfSpoolBeside has a place that is away and a spool that cannot be written: both are told.
func TestFaultOfSpoolBeside(t *testing.T) {
	r := newRunner(syslogSink("tcp", "192.0.2.1:514", ""), Config{Log: textLog(io.Discard)})
	r.tell("open sink", errors.New("connection refused"))
	r.kept.tell(errors.New("mkdir /x: not a directory"))
	if got, want := r.status(&r.sink).Fault, "connection refused; spool: mkdir /x: not a directory"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r.tell("open sink", nil)
	if got, want := r.status(&r.sink).Fault, "spool: mkdir /x: not a directory"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
