package enforcer

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
)

// from gives a connection another interface for each direction.
func (s *script) from(device string) *script {
	s.steps[len(s.steps)-1].raw.Interface = device
	return s
}

// TestReplySeenFirst: a reply comes in on the server's side. Before a packet of
// the client's shows where the connection came in, nothing is written that asks
// for it, and the kernel's own decision stands.
func TestReplySeenFirst(t *testing.T) {
	c := liveConn("192.168.1.2:40000", "198.51.100.1:443")
	lan := policyOf{name: "lan", all: []artifact.Test{textTest("interface", "lan0")}}
	notWAN := policyOf{name: "not-wan", not: true, all: []artifact.Test{textTest("interface", "wan0")}}
	https := policyOf{name: "https", all: []artifact.Test{portTest(443)}}
	const at = "tcp 192.168.1.2:40000>198.51.100.1:443 labels="
	for _, tt := range []struct {
		name string
		in   *script
		want []string
	}{
		{
			"then the client", newScript().tcp(c, server, "SA", 0, "").from("wan0").tcp(c, client, "A", 0, "HELLO us04.zoom.us\n").from("lan0"),
			[]string{at + "[https]/4 mark=0x0/0x80000000", at + "[lan not-wan https]/7 mark=0x0/0x80000000", at + "[lan not-wan https]/7 mark=0x80000000/0x80000000"},
		},
		{
			"and never the client", newScript().tcp(c, server, "SA", 0, "").from("wan0").tcp(c, server, "A", 0, "????").from("wan0"),
			[]string{at + "[https]/4 mark=0x0/0x80000000", at + "[https]/4 mark=0x80000000/0x80000000"},
		},
		{
			"the client first", newScript().tcp(c, client, "S", 0, "").from("lan0").tcp(c, server, "SA", 0, "").from("wan0"),
			[]string{at + "[lan not-wan https]/7 mark=0x0/0x80000000"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j, _ := play(t, tt.in, bundle(t, lan, notWAN, https), live)
			if diff := cmp.Diff(tt.want, j.lines); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestAdoptedByWhatIsKnown: policies that ask for headers and counters alone
// apply to adopted flows as to all others; those that ask for a name do not.
func TestAdoptedByWhatIsKnown(t *testing.T) {
	busy := over("total_rate", 1000)
	named := policyOf{name: "unnamed", not: true, all: []artifact.Test{textTest("application", "zoom")}}
	c := old("192.168.1.2:40000", "198.51.100.1:443", doneMark, 100, 2)
	k := &tracker{list: []flow.Connection{c}}
	var e *Engine
	reads := func(n uint64) func() bool {
		return func() bool { return e.Stats().Readings >= n && k.answered(forReadings) }
	}
	s := aligned().until(func() bool { return e.Stats().Adopted == 1 })
	s.wait(5 * time.Second).idle().until(reads(1)).idle().do(func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.list[0].Sent.Bytes += 1 << 20
		delete(k.seen, forReadings)
	})
	s.wait(5 * time.Second).idle().until(reads(2)).idle().do(func() { delete(k.seen, forReadings) })
	s.wait(5 * time.Second).idle().until(reads(3)).idle().idle()
	j, _ := playWith(t, s, reading(t, busy, named), k, &e)
	want := []string{
		"tcp 192.168.1.2:40000>198.51.100.1:443 labels=[total_rate unnamed]/1 mark=0x80000000/0x80000000",
		"tcp 192.168.1.2:40000>198.51.100.1:443 labels=[unnamed]/1 mark=0x80000000/0x80000000",
	}
	if diff := cmp.Diff(want, j.lines); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestAuditIsLoggedOnce: a policy that comes and goes with a rate is one line a
// flow.
func TestAuditIsLoggedOnce(t *testing.T) {
	audit := over("dst_rate", 1000)
	b := reading(t, audit, zoomPolicy())
	b.Labels[0].Name, b.Labels[0].Auto, b.Policies[0].Audit = "np-audit-busy", true, true
	s := aligned()
	for _, client := range []string{"192.168.1.2:40000", "192.168.1.2:40001"} {
		s.call(connect(client, "198.51.100.1:443"), "us04.zoom.us")
	}
	c := connect("192.168.1.2:40000", "198.51.100.1:443")
	for range 3 {
		s.download(c, 20).wait(5*time.Second).download(c, 1).wait(10 * time.Second)
	}
	var log strings.Builder
	e, err := New(Config{
		Source: s, Dissectors: dissectors(), Bundle: b,
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}})),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	want := `level=INFO msg="policy matched" policy=dst_rate file=t.netpol.hcl line=1 audit=true ` +
		`flow="192.168.1.2:40000 > 198.51.100.1:443" application=zoom protocol=tls hostname=us04.zoom.us by=sni` + "\n"
	if diff := cmp.Diff(want, log.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if n := e.Stats().Audited; n != 1 {
		t.Errorf("%d matches counted, want 1", n)
	}
}

// TestStickyLabelsStay: a label that a rule of the kernel's may have set is
// never cleared, and one that was set here neither.
func TestStickyLabelsStay(t *testing.T) {
	b := reading(t, over("dst_rate", 1000), over("src_rate", 1000))
	b.Program.Sticky = []int{0}
	c := connect("192.168.1.2:40000", "198.51.100.1:443")
	s := aligned().call(c, "us04.zoom.us").download(c, 20).wait(5*time.Second).download(c, 1).wait(10*time.Second).download(c, 1)
	j, _ := play(t, s, b, nil)
	const at = "tcp 192.168.1.2:40000>198.51.100.1:443 "
	want := []string{
		at + "labels=[]/2 mark=0x80000000/0x80000000",
		at + "labels=[dst_rate]/3 mark=0x80000000/0x80000000",
	}
	if diff := cmp.Diff(want, j.lines); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if f := j.flows[0]; !slices.Equal(f.Labels, []string{"dst_rate"}) || len(f.Policies) != 0 {
		t.Errorf("the record has labels %v and policies %v", f.Labels, f.Policies)
	}
}

// inPieces sends a hello in pieces, each acknowledged.
func (s *script) inPieces(c *conn, hello string, size int) *script {
	s.handshake(c)
	for at := 0; at < len(hello); at += size {
		s.tcp(c, client, "A", uint32(at), hello[at:min(at+size, len(hello))])
		s.tcp(c, server, "A", 0, "")
	}
	return s
}

// TestHelloInSmallPieces: cutting a hello up is no way around a policy, as far
// as the kernel shows the pieces.
func TestHelloInSmallPieces(t *testing.T) {
	gate := func(packets uint64) artifact.Ruleset {
		return artifact.Ruleset{Chains: []artifact.Chain{{Name: "np_capture_pre", Rules: []artifact.Rule{{
			ID: "capture-pre/budget", Match: []artifact.Match{{Kind: artifact.MatchCTPackets, Limit: packets + 1, Not: true}},
			Do: []artifact.Statement{{Kind: artifact.DoReturn}},
		}}}}}
	}
	hello := "HELLO " + strings.Repeat("a.", 110) + "zoom.us\n"
	for _, tt := range []struct {
		name string
		live bool
		gate uint64
		size int
		want string // labels
	}{
		{"file", false, 0, 20, "zoom"},
		{"file, without end", false, 0, 5, ""},
		{"live, the gate is as wide as the budget", true, 6, 20, ""},
		{"live, the gate is wider", true, 100, 20, "zoom"},
		{"live, without end", true, 20, 10, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := connect("192.168.1.2:40000", "198.51.100.1:443")
			c.live = tt.live
			b := bundle(t, zoomPolicy()) // six packets
			b.Ruleset = gate(tt.gate)
			j, e := play(t, newScript().inPieces(c, hello, tt.size), b, func(c *Config) {
				if tt.live {
					live(c)
				}
			})
			if got := strings.Join(j.flows[0].Labels, ","); got != tt.want {
				t.Errorf("labels %q, want %q: %q", got, tt.want, j.lines)
			}
			if e.Stats().Completed != 1 {
				t.Errorf("%d flows completed, want 1", e.Stats().Completed)
			}
		})
	}
}

// TestManyPacketsWithoutAName: a flow that has said much is decided within its
// budget, as ever.
func TestManyPacketsWithoutAName(t *testing.T) {
	c := liveConn("192.168.1.2:40000", "198.51.100.1:443")
	s := newScript().handshake(c)
	for i := range 10 {
		s.tcp(c, client, "A", uint32(i)*1400, "HELLO "[:min(6, 6*(10-i))]+strings.Repeat("a", 1394))
	}
	b := bundle(t, zoomPolicy())
	b.Settings.InspectPacket = 8
	_, e := play(t, s, b, live)
	if got := e.Stats(); got.Completed != 1 || got.Inspected > 6 {
		t.Errorf("%d flows completed after %d packets, want 1 after no more than 6", got.Completed, got.Inspected)
	}
}
