//go:build linux

package ct

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// listed gives what Connections calls back with, by tuple.
func listed(t *testing.T, c *Client, value, mask uint32) map[flow.Tuple]flow.Connection {
	t.Helper()
	got := make(map[flow.Tuple]flow.Connection)
	if err := c.Connections(value, mask, func(c *flow.Connection) error {
		got[c.Orig] = *c
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestConnectionsCountBothDirections(t *testing.T) {
	lab, _, c := open(t, labelRule)
	lab.Router.Sysctl("net/netfilter/nf_conntrack_acct", "1")
	for server, ip := range map[netip.Addr]uint64{lab.ServerAddr4: 20, lab.ServerAddr6: 40} {
		orig := udpPair(t, lab, server) // "ask" and "answer"
		got := listed(t, c, 0, 0)[orig]
		if want := (flow.Counts{Packets: 1, Bytes: ip + 8 + 3}); got.Sent != want {
			t.Errorf("%s: sent %+v, want %+v", server, got.Sent, want)
		}
		if want := (flow.Counts{Packets: 1, Bytes: ip + 8 + 6}); got.Returned != want {
			t.Errorf("%s: returned %+v, want %+v", server, got.Returned, want)
		}
		if got.Closing || got.Reply != reversed(orig) {
			t.Errorf("%s: got %+v", server, got)
		}
	}
}

func TestConnectionsByMark(t *testing.T) {
	lab, w, c := open(t, labelRule)
	marked, plain := udpPair(t, lab, lab.ServerAddr4), udpPair(t, lab, lab.ServerAddr6)
	write(t, w, flow.Update{Tuple: marked, Mark: 0x80000001, MarkMask: 0x80000001})
	for _, tt := range []struct {
		name          string
		value, mask   uint32
		marked, plain bool
	}{
		{"all", 0, 0, true, true},
		{"with the bit", 0x80000000, 0x80000000, true, false},
		{"without the bit", 0, 0x80000000, false, true},
		{"with both bits", 0x80000002, 0x80000003, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := listed(t, c, tt.value, tt.mask)
			_, hasMarked := got[marked]
			_, hasPlain := got[plain]
			if hasMarked != tt.marked || hasPlain != tt.plain {
				t.Errorf("listed the marked one %v, the other %v, want %v, %v", hasMarked, hasPlain, tt.marked, tt.plain)
			}
		})
	}
	stop := errors.New("enough")
	if err := c.Connections(0, 0, func(*flow.Connection) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v, want the caller's error", err)
	}
}

// A connection that both sides have closed is over, although its entry stays.
func TestClosedConnectionsAreClosing(t *testing.T) {
	lab, _, c := open(t, labelRule)
	var in net.Listener
	var err error
	lab.Server.Do(func() { in, err = net.Listen("tcp", netip.AddrPortFrom(lab.ServerAddr4, 0).String()) })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	var out net.Conn
	lab.Client.Do(func() { out, err = net.Dial("tcp", in.Addr().String()) })
	if err != nil {
		t.Fatal(err)
	}
	server, err := in.Accept()
	if err != nil {
		t.Fatal(err)
	}
	src, dst := netip.MustParseAddrPort(out.LocalAddr().String()), netip.MustParseAddrPort(out.RemoteAddr().String())
	orig := flow.Tuple{Src: src.Addr(), Dst: dst.Addr(), SrcPort: src.Port(), DstPort: dst.Port(), Proto: protoTCP}
	if got, ok := listed(t, c, 0, 0)[orig]; !ok || got.Closing {
		t.Errorf("open connection: listed %v, closing %v", ok, got.Closing)
	}
	_ = out.Close()
	_, _ = io.Copy(io.Discard, server)
	_ = server.Close()
	waitFor(t, "the connection to be closing", func() bool { return listed(t, c, 0, 0)[orig].Closing })
}

func TestClosingStates(t *testing.T) {
	for state := range uint8(12) {
		b, info := nfnl.Nest(nil, ctaProtoInfo)
		b, tcp := nfnl.Nest(b, ctaProtoInfoTCP)
		b = nfnl.Uint8(b, ctaProtoInfoTCPState, state)
		b = nfnl.Unnest(nfnl.Unnest(b, tcp), info)
		if got, want := parseConn(b).Closing, state == tcpTimeWait || state == tcpClose; got != want {
			t.Errorf("state %d: closing %v, want %v", state, got, want)
		}
	}
	if parseConn(nfnl.Bytes(nil, ctaProtoInfo, nil)).Closing {
		t.Error("a protocol without states is closing")
	}
}

func BenchmarkParseConn(b *testing.B) {
	t := tuples()["tcp4"]
	m := appendTuple(appendTuple(nil, ctaTupleOrig, t), ctaTupleReply, t)
	m = nfnl.Bytes(nfnl.Uint32(m, ctaMark, 7), ctaLabels, make([]byte, 16))
	for b.Loop() {
		_ = parseConn(m)
	}
}
