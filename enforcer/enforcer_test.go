package enforcer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/lang/fact"
)

const (
	client = dissect.Client
	server = dissect.Server
)

// play runs an engine over the script and returns what it did.
func play(t *testing.T, s *script, b *artifact.Bundle, change func(*Config)) (*journal, *Engine) {
	t.Helper()
	j := &journal{}
	for _, l := range b.Labels {
		j.bits = append(j.bits, l.Name)
	}
	c := Config{Source: s, Labels: j, Recorder: j, Dissectors: dissectors(), Bundle: b}
	if change != nil {
		change(&c)
	}
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return j, e
}

func live(c *Config) { c.Live, c.clock = true, c.Source.(*script).clock }

func liveConn(client, server string) *conn {
	c := connect(client, server)
	c.live = true
	return c
}

func TestRows(t *testing.T) {
	a := func() *conn { return connect("192.168.1.2:40000", "198.51.100.1:443") }
	const zoomRow = "tcp 192.168.1.2:40000>198.51.100.1:443 tls/zoom us04.zoom.us by=sni packets=%n at=%a [zoom]"
	row := func(packets, at string) string {
		return strings.NewReplacer("%n", packets, "%a", at).Replace(zoomRow)
	}
	tests := []struct {
		name string
		in   *script
		want []string
	}{
		{"hello in one segment", newScript().call(a(), "us04.zoom.us"), []string{row("4", "4")}},
		{"packets after it only count", newScript().call(a(), "us04.zoom.us").tcp(a(), server, "A", 0, "data"), []string{row("5", "4")}},
		{
			"hello split in two", newScript().handshake(a()).tcp(a(), client, "A", 0, "HELLO us04").tcp(a(), client, "A", 10, ".zoom.us\n"),
			[]string{row("5", "5")},
		},
		{
			"hello split and reordered", newScript().handshake(a()).tcp(a(), client, "A", 10, ".zoom.us\n").tcp(a(), client, "A", 0, "HELLO us04"),
			[]string{row("5", "5")},
		},
		{
			"decoy after the first segment", newScript().handshake(a()).tcp(a(), client, "A", 0, "HELLO us04").tcp(a(), client, "A", 0, "GET / HTTP").tcp(a(), client, "A", 10, ".zoom.us\n"),
			[]string{row("6", "6")},
		},
		{"data in the SYN", newScript().tcp(a(), client, "S", 0, "HELLO us04.zoom.us\n"), []string{row("1", "1")}},
		{
			"seen from the middle, server first",
			newScript().tcp(a(), server, "A", 0, "").tcp(a(), client, "A", 0, "HELLO us04.zoom.us\n"),
			[]string{row("2", "2")},
		},
		{
			"answer to an unseen SYN", newScript().tcp(a(), server, "SA", 0, "").tcp(a(), client, "A", 0, "HELLO us04.zoom.us\n"),
			[]string{row("2", "2")},
		},
		{
			"SYN again is the same flow", newScript().tcp(a(), client, "S", 0, "").call(a(), "us04.zoom.us"),
			[]string{row("5", "5")},
		},
		{
			"network names what the payload does not",
			newScript().handshake(connect("192.168.1.2:40000", "203.0.113.9:8801")).tcp(connect("192.168.1.2:40000", "203.0.113.9:8801"), client, "A", 0, "\x05\x10"),
			[]string{"tcp 192.168.1.2:40000>203.0.113.9:8801 /zoom  by=network packets=4 at=4 [zoom]"},
		},
		{
			"a port that was only knocked at says nothing", newScript().tcp(connect("192.168.1.2:40000", "198.51.100.1:22"), client, "S", 0, ""),
			[]string{"tcp 192.168.1.2:40000>198.51.100.1:22 /  by= packets=1 at=0 []"},
		},
		{
			"port names what has a payload", newScript().tcp(connect("192.168.1.2:40000", "198.51.100.1:22"), client, "A", 0, "????"),
			[]string{"tcp 192.168.1.2:40000>198.51.100.1:22 ssh/  by= packets=1 at=1 []"},
		},
		{
			"ping and its answer", newScript().ping(connect("192.168.1.2:0", "198.51.100.1:0"), client, 8, 7).ping(connect("192.168.1.2:0", "198.51.100.1:0"), server, 0, 7),
			[]string{"icmp 192.168.1.2:0>198.51.100.1:0 icmp/  by= packets=2 at=1 []"},
		},
		{
			"three datagrams needed", newScript().udp(connect("192.168.1.2:5000", "198.51.100.1:6000"), client, "1").udp(connect("192.168.1.2:5000", "198.51.100.1:6000"), server, "2").
				udp(connect("192.168.1.2:5000", "198.51.100.1:6000"), client, "3"),
			[]string{"udp 192.168.1.2:5000>198.51.100.1:6000 boom/  by= packets=3 at=3 []"},
		},
		{
			"a dissector's panic costs the name", newScript().udp(connect("192.168.1.2:5000", "198.51.100.1:6000"), client, "BOOM").call(a(), "us04.zoom.us"),
			[]string{"udp 192.168.1.2:5000>198.51.100.1:6000 /  by= packets=1 at=0 []", row("4", "4")},
		},
		{
			"new connection on the same ports", newScript().call(a(), "us04.zoom.us").tcp(&conn{client: a().client, server: a().server, seq: [2]uint32{7777, 8888}}, client, "S", 0, ""),
			[]string{row("4", "4"), "tcp 192.168.1.2:40000>198.51.100.1:443 /  by= packets=1 at=0 []"},
		},
		{
			"reset ends it", newScript().handshake(a()).tcp(a(), client, "A", 0, "HELLO us04").tcp(a(), server, "R", 0, ""),
			[]string{"tcp 192.168.1.2:40000>198.51.100.1:443 /  by= packets=5 at=0 []"},
		},
		{
			"made-up reset does not", newScript().handshake(a()).tcp(a(), client, "A", 0, "HELLO us04").tcp(a(), server, "R", 1<<30, "").tcp(a(), client, "A", 10, ".zoom.us\n"),
			[]string{row("6", "6")},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j, _ := play(t, tt.in, bundle(t, zoomPolicy()), nil)
			if diff := cmp.Diff(tt.want, j.rows()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestLiveWrites(t *testing.T) {
	a := func() *conn { return liveConn("192.168.1.2:40000", "198.51.100.1:443") }
	notZoom := policyOf{name: "rest", all: []artifact.Test{textTest("application", "zoom")}, not: true}
	web := policyOf{name: "web", all: []artifact.Test{portTest(443)}, mark: &artifact.Mark{Value: 0x10, Mask: 0xf0}}
	tests := []struct {
		name string
		in   *script
		with []policyOf
		want []string
	}{
		{
			"one write a flow, with the done mark", newScript().call(a(), "us04.zoom.us").tcp(a(), server, "A", 0, "x"),
			[]policyOf{zoomPolicy()},
			[]string{"tcp 192.168.1.2:40000>198.51.100.1:443 labels=[zoom]/1 mark=0x80000000/0x80000000"},
		},
		{
			"other traffic is closed too, and stale labels with it", newScript().call(a(), "example.org"),
			[]policyOf{zoomPolicy()},
			[]string{"tcp 192.168.1.2:40000>198.51.100.1:443 labels=[]/1 mark=0x80000000/0x80000000"},
		},
		{
			"nothing is said of a flow without a name", newScript().handshake(a()).tcp(a(), client, "A", 0, "HELLO "),
			[]policyOf{notZoom},
			[]string{"tcp 192.168.1.2:40000>198.51.100.1:443 labels=[rest]/1 mark=0x80000000/0x80000000"}, // when the input ends
		},
		{
			"headers alone decide at the first packet", newScript().tcp(a(), client, "S", 0, "").do(nil).call(a(), "us04.zoom.us"),
			[]policyOf{zoomPolicy(), web},
			[]string{
				"tcp 192.168.1.2:40000>198.51.100.1:443 labels=[web]/3 mark=0x10/0x800000f0",
				"tcp 192.168.1.2:40000>198.51.100.1:443 labels=[zoom web]/3 mark=0x80000010/0x800000f0",
			},
		},
		{
			"an ICMP error has no connection of its own", newScript().ping(liveConn("192.168.1.2:0", "198.51.100.1:0"), client, 3, 0), []policyOf{zoomPolicy()}, nil,
		},
		{
			"budget used up", newScript().udp(liveConn("192.168.1.2:9", "198.51.100.1:53"), client, "q").udp(liveConn("192.168.1.2:9", "198.51.100.1:53"), client, "q").
				udp(liveConn("192.168.1.2:9", "198.51.100.1:53"), client, "q").udp(liveConn("192.168.1.2:9", "198.51.100.1:53"), client, "q").
				udp(liveConn("192.168.1.2:9", "198.51.100.1:53"), client, "q").udp(liveConn("192.168.1.2:9", "198.51.100.1:53"), client, "q").fails(io.EOF),
			[]policyOf{zoomPolicy()},
			[]string{"udp 192.168.1.2:9>198.51.100.1:53 labels=[]/1 mark=0x80000000/0x80000000"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j, _ := play(t, tt.in, bundle(t, tt.with...), live)
			if diff := cmp.Diff(tt.want, j.lines); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestSilentFlowIsDecided: a sender that stops in the middle of its hello is
// decided on what it sent, when another's packet shows how late it is.
func TestSilentFlowIsDecided(t *testing.T) {
	a := liveConn("192.168.1.2:40000", "203.0.113.9:443")
	s := newScript().handshake(a).tcp(a, client, "A", 0, "HELLO ")
	s.wait(11*time.Second).ping(liveConn("192.168.1.9:0", "198.51.100.1:0"), client, 3, 0)
	var before int
	j := &journal{bits: []string{"zoom"}}
	s.do(nil).do(func() { before = len(j.lines) })
	e, err := New(Config{Source: s, Labels: j, Dissectors: dissectors(), Bundle: bundle(t, zoomPolicy()), Live: true, clock: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	want := []string{"tcp 192.168.1.2:40000>203.0.113.9:443 labels=[zoom]/1 mark=0x80000000/0x80000000"}
	if diff := cmp.Diff(want, j.lines); diff != "" || before != 1 {
		t.Errorf("%d writes before the end; -want +got:\n%s", before, diff)
	}
}

func TestNamesFromAnswers(t *testing.T) {
	dns := connect("192.168.1.2:5353", "192.168.1.1:53")
	bare := connect("192.168.1.2:40000", "198.51.100.7:9000")
	other := connect("192.168.1.3:40000", "198.51.100.7:9000")
	s := newScript().udp(dns, client, "q").udp(dns, server, "us04.zoom.us 198.51.100.7").
		tcp(bare, client, "A", 0, "???").tcp(other, client, "A", 0, "???")
	for range 10 { // beyond the budget: the flow is decided, yet still read
		s.udp(dns, client, "q")
	}
	s.udp(dns, server, "www.skype.com 198.51.100.8").tcp(connect("192.168.1.2:40001", "198.51.100.8:9000"), client, "A", 0, "???")
	j, e := play(t, s, bundle(t, zoomPolicy()), nil)
	var got []string
	for _, f := range j.flows {
		if f.IPProtocol == 6 {
			got = append(got, f.SrcIP.String()+" "+f.DNSHostname+" "+f.Application+" "+f.By)
		}
	}
	want := []string{"192.168.1.2 us04.zoom.us zoom dns", "192.168.1.3   ", "192.168.1.2 www.skype.com skype dns"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if s := e.Stats(); s.Panics != 0 || s.FlowsSeen != 4 {
		t.Errorf("got %+v", s)
	}
}

// nat resolves replies of one translated connection.
type nat struct {
	reply, original flow.Tuple
	asked           int
}

func (n *nat) Original(t flow.Tuple) (flow.Tuple, bool) {
	n.asked++
	return n.original, t == n.reply
}

func TestTranslatedReplies(t *testing.T) {
	c := liveConn("192.168.1.2:40000", "198.51.100.1:443")
	c.natted = netip.MustParseAddrPort("203.0.113.1:61000")
	n := &nat{
		reply:    flow.Tuple{Src: c.server.Addr(), Dst: c.natted.Addr(), SrcPort: 443, DstPort: 61000, Proto: 6},
		original: flow.Tuple{Src: c.client.Addr(), Dst: c.server.Addr(), SrcPort: 40000, DstPort: 443, Proto: 6},
	}
	replyFirst := liveConn("192.168.1.2:40000", "198.51.100.1:443")
	replyFirst.natted = c.natted
	for name, s := range map[string]*script{
		"in order":    newScript().call(c, "us04.zoom.us").tcp(c, server, "A", 0, "x"),
		"reply first": newScript().tcp(replyFirst, server, "SA", 0, "").tcp(replyFirst, client, "A", 0, "").tcp(replyFirst, client, "A", 0, "HELLO us04.zoom.us\n").tcp(replyFirst, server, "A", 0, "x").tcp(replyFirst, server, "A", 1, "x"),
	} {
		t.Run(name, func(t *testing.T) {
			n.asked = 0
			j, e := play(t, s, bundle(t, zoomPolicy()), func(c *Config) { live(c); c.Resolver = n })
			want := []string{"tcp 192.168.1.2:40000>198.51.100.1:443 tls/zoom us04.zoom.us by=sni packets=5 at="}
			if len(j.flows) != 1 || !strings.HasPrefix(j.rows()[0], want[0]) {
				t.Errorf("got %q, want one flow with all packets: %q", j.rows(), want)
			}
			if n.asked != 1 || e.Stats().Resolved != 1 {
				t.Errorf("asked %d times, want once a flow", n.asked)
			}
		})
	}
}

func TestReload(t *testing.T) {
	zoom, skype := liveConn("192.168.1.2:40000", "198.51.100.1:443"), liveConn("192.168.1.2:40001", "198.51.100.2:443")
	before := bundle(t, zoomPolicy())
	after := bundle(t, zoomPolicy(), policyOf{name: "skype", all: []artifact.Test{textTest("application", "skype")}})
	after.Labels = after.Labels[1:] // zoom's label is not the bundle's any more
	after.Policies[0].Labels = nil
	after.Program.Effects[0].Labels = nil
	j := &journal{bits: []string{"zoom", "skype"}}
	s := newScript().call(zoom, "us04.zoom.us").call(skype, "www.skype.com").tcp(skype, client, "A", 100, "late")
	e, err := New(Config{Source: s, Labels: j, Recorder: j, Dissectors: dissectors(), Bundle: before, Live: true, clock: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	var written int
	s.do(func() {
		written = len(j.lines)
		if err := e.Reload(after); err != nil {
			t.Error(err)
		}
	}).do(nil).do(nil)
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"tcp 192.168.1.2:40000>198.51.100.1:443 labels=[]/3 mark=0x80000000/0x80000000",
		"tcp 192.168.1.2:40001>198.51.100.2:443 labels=[skype]/2 mark=0x80000000/0x80000000",
	}
	if diff := cmp.Diff(want, j.lines[written:]); diff != "" {
		t.Errorf("rewritten, -want +got:\n%s", diff)
	}
	if got := e.Stats(); got.FlowsSeen != 2 || got.Reloads != 1 {
		t.Errorf("got %d flows seen and %d reloads, want 2 and 1", got.FlowsSeen, got.Reloads)
	}
	if err := e.Reload(&artifact.Bundle{ABI: "other"}); err == nil {
		t.Error("a bundle for other facts was taken")
	}
}

// sleeper is a source that has no packets any more after a script, and waits for ever unless somebody wakes it.
type sleeper struct {
	*script
	bell, over chan struct{}
}

func (s *sleeper) Next(raw *packet.Raw) error {
	if len(s.steps) > 0 {
		return s.script.Next(raw)
	}
	select {
	case <-s.bell:
		return packet.ErrIdle
	case <-s.over:
		return io.EOF
	}
}

func (s *sleeper) Wake() {
	select {
	case s.bell <- struct{}{}:
	default:
	}
}

// TestReloadWithoutPackets: all flows are decided anew at once, also while no packet comes.
func TestReloadWithoutPackets(t *testing.T) {
	const flows = 5 * sweepSlice
	s := &sleeper{newScript(), make(chan struct{}, 1), make(chan struct{})}
	for i := range flows {
		s.tcp(liveConn(fmt.Sprintf("192.168.%d.%d:40000", i>>8, i&255), "198.51.100.1:443"), client, "A", 0, "HELLO us04.zoom.us\n")
	}
	j := &journal{bits: []string{"zoom", "tls"}}
	e, err := New(Config{Source: s, Labels: j, Recorder: j, Dissectors: dissectors(), Bundle: bundle(t, zoomPolicy()), Live: true, clock: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- e.Run(context.Background()) }()
	written := func(n uint64) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); e.Stats().Writes < n; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d verdicts are written, want %d", e.Stats().Writes, n)
			}
		}
	}
	written(flows)
	if err := e.Reload(bundle(t, zoomPolicy(), policyOf{name: "tls", all: []artifact.Test{textTest("protocol", "tls")}})); err != nil {
		t.Fatal(err)
	}
	written(2 * flows)
	close(s.over)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestKernelForgot: a packet of a decided flow means that the kernel has lost
// the verdict, or that it was on its way when the gate closed.
func TestKernelForgot(t *testing.T) {
	const (
		told   = "tcp 192.168.1.2:40000>198.51.100.1:443 labels=[zoom]/1 mark=0x80000000/0x80000000"
		atOnce = "tcp 192.168.1.2:40000>198.51.100.1:443 labels=[zoom]/1 mark=0x0/0x80000000"
	)
	for _, tt := range []struct {
		name             string
		after            time.Duration
		want             []string
		retold, reopened uint64
	}{
		{"on its way", 0, []string{told}, 0, 0},
		{"no entry when the verdict came", time.Second, []string{told, told}, 1, 0},
		{"a new entry, labelled at once and inspected", 3 * time.Second, []string{told, atOnce, told}, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := liveConn("192.168.1.2:40000", "198.51.100.1:443")
			s := newScript().call(a, "us04.zoom.us").tcp(a, client, "A", 19, "bulk")
			s.wait(tt.after).tcp(a, client, "A", 23, "bulk").tcp(a, client, "A", 27, "bulk")
			j, e := play(t, s, bundle(t, zoomPolicy()), live)
			if diff := cmp.Diff(tt.want, j.lines); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got := e.Stats(); got.Retold != tt.retold || got.Reopened != tt.reopened || got.FlowsSeen != 1 {
				t.Errorf("got %d retold and %d reopened of %d flows, want %d and %d of 1",
					got.Retold, got.Reopened, got.FlowsSeen, tt.retold, tt.reopened)
			}
		})
	}
}

// TestKernelForgotAfterAChange: a packet of a decided flow says the same shortly after the verdict became another one.
func TestKernelForgotAfterAChange(t *testing.T) {
	a := liveConn("192.168.1.2:40000", "198.51.100.1:443")
	s := newScript().call(a, "us04.zoom.us").wait(time.Second)
	j := &journal{bits: []string{"zoom", "tls"}}
	e, err := New(Config{Source: s, Labels: j, Recorder: j, Dissectors: dissectors(), Bundle: bundle(t, zoomPolicy()), Live: true, clock: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	after := bundle(t, zoomPolicy(), policyOf{name: "tls", all: []artifact.Test{textTest("protocol", "tls")}})
	s.do(func() {
		if err := e.Reload(after); err != nil {
			t.Error(err)
		}
	}).do(nil).do(nil).wait(10 * time.Millisecond)
	s.tcp(a, client, "A", 19, "bulk").tcp(a, client, "A", 23, "bulk")
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	const row = "tcp 192.168.1.2:40000>198.51.100.1:443 labels=[%s]/%d mark=0x80000000/0x80000000"
	want := []string{fmt.Sprintf(row, "zoom", 1), fmt.Sprintf(row, "zoom tls", 3), fmt.Sprintf(row, "zoom tls", 3)}
	if diff := cmp.Diff(want, j.lines); diff != "" || e.Stats().Retold != 1 {
		t.Errorf("retold %d times, -want +got:\n%s", e.Stats().Retold, diff)
	}
}

// TestSilentFlowStaysUndecided: a mark on a connection that has said nothing
// yet would keep the kernel from showing us what it says later.
func TestSilentFlowStaysUndecided(t *testing.T) {
	s := newScript().handshake(liveConn("192.168.1.2:40000", "198.51.100.1:443"))
	for port := range 5 { // of which the table holds two
		s.tcp(liveConn(fmt.Sprintf("192.168.1.2:%d", 50000+port), "198.51.100.1:443"), client, "S", 0, "")
	}
	s.tcp(liveConn("192.168.1.2:40000", "198.51.100.1:443"), client, "A", 0, "HELLO us04.zoom.us\n")
	j, e := play(t, s, bundle(t, zoomPolicy()), func(c *Config) { live(c); c.MaxFlows = 2 })
	want := []string{"tcp 192.168.1.2:40000>198.51.100.1:443 labels=[zoom]/1 mark=0x80000000/0x80000000"}
	if diff := cmp.Diff(want, j.lines); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := e.Stats(); got.FlowsEvicted != 5 || got.Completed != 1 {
		t.Errorf("got %d evicted and %d completed, want 5 and 1", got.FlowsEvicted, got.Completed)
	}
}

// TestForwardedPort: what comes in through a port forwarding is the inside
// host's, whose address only the replies show.
func TestForwardedPort(t *testing.T) {
	inside := artifact.Test{Op: artifact.TestNetwork, Attribute: "local_ip", Networks: []netip.Prefix{netip.MustParsePrefix("192.168.1.0/24")}}
	c := liveConn("198.51.100.9:40000", "203.0.113.1:8443")
	reply := &conn{client: c.client, server: netip.MustParseAddrPort("192.168.1.7:443"), seq: c.seq, live: true}
	for name, masqueraded := range map[string]netip.AddrPort{"forwarded": {}, "forwarded and masqueraded": netip.MustParseAddrPort("192.168.1.1:61000")} {
		t.Run(name, func(t *testing.T) {
			reply.natted = masqueraded
			to := reply.client
			if masqueraded.IsValid() {
				to = masqueraded
			}
			n := &nat{
				reply:    flow.Tuple{Src: reply.server.Addr(), Dst: to.Addr(), SrcPort: 443, DstPort: to.Port(), Proto: 6},
				original: flow.Tuple{Src: c.client.Addr(), Dst: c.server.Addr(), SrcPort: 40000, DstPort: 8443, Proto: 6},
			}
			s := newScript().tcp(c, client, "S", 0, "").tcp(reply, server, "SA", 0, "").tcp(c, client, "A", 0, "").tcp(c, client, "A", 0, "HELLO us04.zoom.us\n")
			j, _ := play(t, s, bundle(t, policyOf{name: "lan", all: []artifact.Test{inside, textTest("application", "zoom"), textTest("origin", fact.OriginOther)}}),
				func(c *Config) { live(c); c.Resolver = n })
			want := []string{"tcp 198.51.100.9:40000>203.0.113.1:8443 labels=[lan]/1 mark=0x80000000/0x80000000"}
			if diff := cmp.Diff(want, j.lines); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestFilesAreWorldsApart(t *testing.T) {
	dns := connect("192.168.1.2:5353", "192.168.1.1:53")
	dns.file = "a.pcap"
	bare := connect("192.168.1.2:40000", "198.51.100.7:9000")
	bare.file = "a.pcap"
	again := connect("192.168.1.2:40000", "198.51.100.7:9000")
	again.file = "b.pcap"
	broken := &packet.FileError{File: "a.pcap", Err: errors.New("cut short")}
	s := newScript().udp(dns, server, "us04.zoom.us 198.51.100.7").tcp(bare, client, "A", 0, "???").fails(broken).
		tcp(again, client, "A", 0, "???").fails(packet.ErrFileEnd)
	j := &journal{}
	e, err := New(Config{Source: s, Recorder: j, Dissectors: dissectors(), Bundle: bundle(t, zoomPolicy())})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(context.Background()); !errors.Is(err, broken) {
		t.Errorf("got error %v, want the file's", err)
	}
	var got []string
	for _, f := range j.flows {
		got = append(got, f.PCAP+" "+f.Protocol+"/"+f.Application)
	}
	if diff := cmp.Diff([]string{"a.pcap dns/", "a.pcap /zoom", "b.pcap /"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestCaps(t *testing.T) {
	s := newScript()
	for i := range 300 {
		c := connect("192.168.1.2:1000", "198.51.100.1:6000")
		c.client = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1000)
		s.udp(c, client, "spray")
	}
	j, e := play(t, s, bundle(t, zoomPolicy()), func(c *Config) { c.MaxFlows, c.MaxOpening = 100, 10 })
	got := e.Stats()
	if got.FlowsEvicted != 200 || len(j.flows) != 300 {
		t.Errorf("evicted %d and told of %d, want 200 and 300", got.FlowsEvicted, len(j.flows))
	}
	if got.Cut != 290 || got.Opening != 0 || got.Buffered != 0 {
		t.Errorf("got %d cut, %d open and %d bytes held at the end, want 290, 0 and 0", got.Cut, got.Opening, got.Buffered)
	}
}

func TestAskedWhileRunning(t *testing.T) {
	a := connect("192.168.1.2:40000", "198.51.100.1:443")
	s := newScript().call(a, "us04.zoom.us")
	e, err := New(Config{Source: s, Dissectors: dissectors(), Bundle: bundle(t, zoomPolicy())})
	if err != nil {
		t.Fatal(err)
	}
	if e.Flows(10) != nil {
		t.Error("flows before Run")
	}
	var flows []telemetry.Flow
	var why telemetry.Why
	var ok, unknown bool
	answered := make(chan struct{})
	s.do(func() {
		go func() {
			defer close(answered)
			flows = e.Flows(10)
			reply := flow.Tuple{Src: a.server.Addr(), Dst: a.client.Addr(), SrcPort: 443, DstPort: 40000, Proto: 6}
			why, ok = e.Why(reply)
			_, unknown = e.Why(flow.Tuple{Src: a.server.Addr(), Dst: a.server.Addr(), Proto: 6})
		}()
	})
	for range 200 {
		s.do(func() {
			select {
			case <-answered:
			case <-time.After(10 * time.Millisecond):
			}
		})
	}
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	<-answered
	if len(flows) != 1 || flows[0].Application != "zoom" || flows[0].Event != telemetry.Live {
		t.Errorf("got flows %+v", flows)
	}
	if !ok || unknown || !why.Complete || len(why.Policies) != 1 || !why.Policies[0].Matched || !why.Policies[0].Terms[0].Holds {
		t.Errorf("got why %+v (found %v, the unknown one %v)", why, ok, unknown)
	}
	found := false
	for _, ev := range why.Evidence {
		found = found || ev == telemetry.Evidence{Attribute: "hostname", Value: "us04.zoom.us"}
	}
	if !found {
		t.Errorf("no host name among the evidence %v", why.Evidence)
	}
	if _, ok := e.Why(flow.Tuple{}); ok {
		t.Error("an answer after Run")
	}
}

func TestCancelled(t *testing.T) {
	a := liveConn("192.168.1.2:40000", "198.51.100.1:443")
	ctx, cancel := context.WithCancel(context.Background())
	s := newScript().handshake(a).tcp(a, client, "A", 0, "HELLO ").do(cancel).call(a, "never.read.example")
	j := &journal{}
	e, err := New(Config{Source: s, Labels: j, Recorder: j, Dissectors: dissectors(), Bundle: bundle(t, zoomPolicy()), Live: true, clock: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if len(j.lines) != 0 || len(j.flows) != 1 {
		t.Errorf("got writes %q and %d records: an undecided flow must stay open for the next process", j.lines, len(j.flows))
	}
}

func TestNewRefuses(t *testing.T) {
	good := bundle(t, zoomPolicy())
	tests := []struct {
		name string
		in   Config
		want string
	}{
		{"no source", Config{Bundle: good, Dissectors: dissectors()}, "configure enforcer: no packet source"},
		{"no bundle", Config{Source: newScript(), Dissectors: dissectors()}, "configure enforcer: no bundle"},
		{"no dissectors", Config{Source: newScript(), Bundle: good}, "configure enforcer: no dissectors"},
		{"negative limit", Config{Source: newScript(), Bundle: good, Dissectors: dissectors(), MaxFlows: -1}, "configure enforcer: a limit is negative"},
		{"lanes of a file", Config{Source: newScript(), Bundle: good, Dissectors: dissectors(), Lanes: make([]Lane, 1)}, "configure enforcer: a capture file is read by one worker"},
		{"too many lanes", Config{Source: newScript(), Bundle: good, Dissectors: dissectors(), Live: true, Lanes: make([]Lane, 64)}, "configure enforcer: more than 64 lanes"},
		{
			"lanes whose connections are nobody's",
			Config{Source: newScript(), Bundle: good, Dissectors: dissectors(), Live: true, Lanes: make([]Lane, 1), Tracker: &tracker{}},
			"configure enforcer: nobody says by which lane connections come",
		},
		{
			"bundle of another time",
			Config{Source: newScript(), Bundle: &artifact.Bundle{ABI: "x"}, Dissectors: dissectors()},
			"load program: ",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := New(tt.in); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// TestDecidedPacketsCostNoMemory: bulk packets of known flows allocate nothing.
func TestDecidedPacketsCostNoMemory(t *testing.T) {
	a := connect("192.168.1.2:40000", "198.51.100.1:443")
	s := newScript().call(a, "us04.zoom.us").tcp(a, server, "A", 0, "bulk")
	e, err := New(Config{Source: s, Dissectors: dissectors(), Bundle: bundle(t, zoomPolicy())})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorker(e, 0)
	for s.Next(w.raw) == nil {
		w.packet()
	}
	if n := testing.AllocsPerRun(100, w.packet); n != 0 {
		t.Errorf("got %v allocations a packet, want 0", n)
	}
}

func TestFactStore(t *testing.T) {
	s := newFactStore()
	var f, got fact.Facts
	if i := s.keep(&f, 0); i != 0 {
		t.Errorf("the empty set is kept as %d", i)
	}
	f.Hostname, f.SrcPort = "a.example", 5
	a := s.keep(&f, 0)
	f.SrcPort = 6
	if b := s.keep(&f, a); a != b || a == 0 {
		t.Errorf("facts that differ in their tuple only are kept twice: %d, %d", a, b)
	}
	f.Hostname = "b.example"
	c := s.keep(&f, a)
	if s.at(c).Unpack(&got); c == a || got != (fact.Facts{Hostname: "b.example"}) {
		t.Errorf("got %+v as %d", got, c)
	}
	s.release(a)
	s.release(a)
	s.release(c)
	if s.used() != 0 {
		t.Errorf("%d sets left after the last release", s.used())
	}
	if d := s.keep(&f, 0); d >= 3 {
		t.Errorf("freed places are not reused: got %d", d)
	}
}

func BenchmarkDecidedPacket(b *testing.B) {
	a := connect("192.168.1.2:40000", "198.51.100.1:443")
	s := newScript().call(a, "us04.zoom.us").tcp(a, server, "A", 0, "bulk")
	e, err := New(Config{Source: s, Dissectors: dissectors(), Bundle: bundle(b, zoomPolicy())})
	if err != nil {
		b.Fatal(err)
	}
	w := newWorker(e, 0)
	for s.Next(w.raw) == nil {
		w.packet()
	}
	b.ReportAllocs()
	for b.Loop() {
		w.packet()
	}
}

func TestRecordWords(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   fact.Facts
		want [2]string // hostname, tls_version
	}{
		{"name asked for", fact.Facts{Protocol: "dns", DNSHostname: "www.example.com"}, [2]string{"www.example.com", ""}},
		{"name asked of neighbours", fact.Facts{Protocol: "mdns", DNSHostname: "_ipp._tcp.local"}, [2]string{"_ipp._tcp.local", ""}},
		{"name from an earlier answer is not the flow's own", fact.Facts{Protocol: "ssh", DNSHostname: "www.example.com"}, [2]string{"", ""}},
		{"name of the server over DNS over TLS", fact.Facts{Protocol: "dot", Hostname: "dns.example", TLSVersion: 0x304}, [2]string{"dns.example", "TLSv1.3"}},
		{"datagram TLS", fact.Facts{Protocol: "dtls", TLSVersion: 0x303}, [2]string{"", "DTLSv1.2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := [2]string{hostname(&tt.in), tlsVersion(&tt.in)}; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRecordOfALookup(t *testing.T) {
	e, err := New(Config{Source: newScript(), Dissectors: dissectors(), Bundle: bundle(t, zoomPolicy())})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorker(e, 0)
	for _, tt := range []struct {
		name string
		in   fact.Facts
		want [2]string // application, by
	}{
		{"whose name is asked for", fact.Facts{Protocol: "dns", DNSHostname: "us04.zoom.us"}, [2]string{"zoom", byQuery}},
		{"a name that is nobody's", fact.Facts{Protocol: "dns", DNSHostname: "www.example.com"}, [2]string{"", ""}},
		{"the traffic itself", fact.Facts{Protocol: "tls", Application: "zoom", By: fact.BySNI, Hostname: "us04.zoom.us"}, [2]string{"zoom", fact.BySNI}},
		{"traffic after a look-up", fact.Facts{Protocol: "ssh", DNSHostname: "us04.zoom.us"}, [2]string{"", ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			application, by := w.application(&tt.in)
			if got := [2]string{application, by}; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
