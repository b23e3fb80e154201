package daemon

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"
)

// TestEndsAreHeard has somebody remove a connection's entry right after a burst, before anybody has read its
// counters: the kernel announces the end with what it had counted, and that is what the flow's record says.
func TestEndsAreHeard(t *testing.T) {
	s := newSite(t)
	file, _ := s.withSinks()
	e, _ := s.netpold(slog.New(slog.DiscardHandler))
	orig, say := s.talk()
	say(8, 100)
	s.labelled(orig, bitPort)
	say(200, 1000)
	s.Router.Run("conntrack", "-D", "-p", "udp")
	s.waitFor("the end", func() bool { return len(s.inFile(file, "flow_end")) == 1 })
	end := s.inFile(file, "flow_end")[0]
	if want := 8*(28+100) + 200*(28+1000); end.Reason != "expired" || end.Flow.LocalBytes != want || end.Flow.TotalBytes != 2*want {
		t.Errorf("got %+v, want %d bytes each way", end, want)
	}
	if n := e.counters()["ends_heard"]; n != 1 {
		t.Errorf("%d ends were heard, want 1", n)
	}

	// Nobody listens without a sink that is told of ends: that costs every connection.
	next := *s.bundle
	next.Sinks = nil
	next.Program.Effects = append(next.Program.Effects[:0:0], next.Program.Effects...)
	next.Program.Effects[0].Notify = nil
	if err := e.reload(&next); err != nil {
		t.Fatal(err)
	}
	orig, say = s.talk()
	say(8, 100)
	s.labelled(orig, bitPort)
	s.Router.Run("conntrack", "-D", "-p", "udp")
	_, say = s.talk()
	say(8, 100)
	if n := e.counters()["ends_heard"]; n != 1 {
		t.Errorf("%d ends were heard after the sinks went, want 1", n)
	}
}

// TestClosedConnectionsAreTold closes a TCP connection: its record comes while conntrack still keeps the entry, for two
// minutes (TIME_WAIT), and has what the kernel's own counters have, to the byte.
func TestClosedConnectionsAreTold(t *testing.T) {
	s := newSite(t)
	file, _ := s.withSinks()
	in, port := s.listen()
	s.Router.Run("nft", "add table inet held; add chain inet held c { type filter hook forward priority 0; }")
	s.Router.Run("nft", fmt.Sprintf("add rule inet held c tcp dport %d counter; add rule inet held c tcp sport %d counter", port, port))
	s.netpold(slog.New(slog.DiscardHandler))
	go func() {
		conn, err := in.Accept()
		if err != nil {
			return
		}
		_, _ = io.Copy(conn, conn)
		_ = conn.Close()
	}()
	out := s.dial(in)
	sent := make([]byte, 300_000)
	go func() {
		_, _ = out.Write(sent)
		_ = out.(*net.TCPConn).CloseWrite()
	}()
	if n, err := io.Copy(io.Discard, out); n != int64(len(sent)) || err != nil {
		t.Fatalf("got %d bytes back: %v", n, err)
	}
	out.Close()
	closed := time.Now()
	s.waitFor("the end", func() bool { return len(s.inFile(file, "flow_end")) == 1 })
	end := s.inFile(file, "flow_end")[0]
	t.Logf("told %v after the close, two readings of 100 ms", time.Since(closed))
	if list := s.Router.Run("conntrack", "-L", "-p", "tcp"); !strings.Contains(list, "TIME_WAIT") {
		t.Errorf("the kernel has forgotten the connection:\n%s", list)
	}
	var bytes [2]int
	for i, line := range strings.SplitAfter(s.Router.Run("nft", "list", "chain", "inet", "held", "c"), "\n") {
		var packets, n int
		if _, rest, ok := strings.Cut(line, "counter "); ok {
			if _, err := fmt.Sscanf(rest, "packets %d bytes %d", &packets, &n); err != nil {
				t.Fatalf("%d: %s: %v", i, line, err)
			}
			bytes[min(1, bytes[0])] = n
		}
	}
	if end.Reason != "closed" || end.Flow.LocalBytes != bytes[0] || end.Flow.TotalBytes != bytes[0]+bytes[1] {
		t.Errorf("got %+v, want %v bytes", end, bytes)
	}
	// The kernel has shown the first packets alone, which are those of the handshake.
	if k := end.Flow.KPI; k.Packets < 3 || k.Packets >= end.Flow.TotalPackets || k.Server == 0 || k.Client == 0 {
		t.Errorf("got %+v of %d packets", k, end.Flow.TotalPackets)
	}
}
