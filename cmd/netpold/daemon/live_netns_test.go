package daemon

import (
	"bytes"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/kernel/nft"
	"github.com/netpol/netpol/enforcer/kernel/nftset"
	"github.com/netpol/netpol/lang/fact"
)

// Labels of the site's bundle.
const (
	bitSeen = iota
	bitPort
	bitBulk
	bitRate
)

// site is a router with netpold on it, between a client and a server that
// answers every datagram.
type site struct {
	*kerneltest.Lab
	t      *testing.T
	bundle *artifact.Bundle
	server netip.AddrPort
	client *ct.Client
	from   netip.Addr // that the client talks from; none for any
	told   string     // file of a sink, in tests of inputs
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{Lab: kerneltest.NewLab(t), t: t}
	s.Router.Sysctl("net/netfilter/nf_conntrack_acct", "1")
	s.Router.Enter()
	var err error
	if s.client, err = ct.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.client.Close() })
	s.answer()
	s.bundle = siteBundle(s.server.Port())
	if err := nft.Apply(&s.bundle.Ruleset); err != nil {
		t.Fatal(err)
	}
	return s
}

// listen has the server listen on a port of TCP.
func (s *site) listen() (in net.Listener, port uint16) {
	s.t.Helper()
	var err error
	s.Server.Do(func() { in, err = net.Listen("tcp4", netip.AddrPortFrom(s.ServerAddr4, 0).String()) })
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = in.Close() })
	return in, netip.MustParseAddrPort(in.Addr().String()).Port()
}

// dial has the client connect to it.
func (s *site) dial(in net.Listener) net.Conn {
	s.t.Helper()
	var out net.Conn
	var err error
	s.Client.Do(func() { out, err = net.Dial("tcp4", in.Addr().String()) })
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// answer has the server send back what it gets.
func (s *site) answer() {
	var in net.PacketConn
	var err error
	s.Server.Do(func() { in, err = net.ListenPacket("udp", netip.AddrPortFrom(s.ServerAddr4, 0).String()) })
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = in.Close() })
	s.server = netip.MustParseAddrPort(in.LocalAddr().String())
	go func() {
		buf := make([]byte, 2000)
		for {
			n, from, err := in.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = in.WriteTo(buf[:n], from)
		}
	}()
}

// siteBundle has policies that ask for a port, for bytes and for a rate, a
// capture of the first six packets, and a heartbeat.
func siteBundle(port uint16) *artifact.Bundle {
	from := func(attribute string, low int) artifact.Test {
		return artifact.Test{Op: artifact.TestRange, Attribute: attribute, Ranges: []artifact.Range{{Low: low, High: math.MaxInt - 1}}}
	}
	b := &artifact.Bundle{
		Format: artifact.FormatVersion, ABI: fact.ABI(),
		Settings: artifact.Settings{LogGroup: 4788, InspectPacket: 6, DoneMark: 1 << 31},
		Labels:   []artifact.Label{{Name: "np-seen", Bit: bitSeen, Auto: true}, {Name: "port", Bit: bitPort}, {Name: "bulk", Bit: bitBulk}, {Name: "rate", Bit: bitRate}},
		Program: artifact.Program{
			Engine: artifact.Engine, Reads: []string{"dst_port", "total_bytes", "total_rate"},
			Tests: []artifact.Test{
				{Op: artifact.TestRange, Attribute: "dst_port", Ranges: []artifact.Range{{Low: int(port), High: int(port)}}},
				from("total_bytes", 200_000), from("total_rate", 10_000),
			},
		},
	}
	for i, name := range []string{"port", "bulk", "rate"} {
		b.Policies = append(b.Policies, artifact.Policy{Name: name})
		b.Program.Effects = append(b.Program.Effects, artifact.Effect{Labels: []int{i + 1}})
		b.Program.Clauses = append(b.Program.Clauses, artifact.Clause{Policy: i, Access: artifact.NoAccess, If: []artifact.Literal{artifact.Literal(i)}})
	}
	b.Ruleset = siteRules(b.Settings)
	return b
}

func siteRules(s artifact.Settings) artifact.Ruleset {
	leave := []artifact.Statement{{Kind: artifact.DoReturn}}
	log := func(prefix string) []artifact.Statement {
		return []artifact.Statement{{Kind: artifact.DoLog, Name: prefix, Group: s.LogGroup, Snaplen: 1600}}
	}
	return artifact.Ruleset{
		Family: "inet", Table: "netpol",
		Sets: []artifact.Set{{Name: "np_alive", Type: artifact.SetFamily, Heartbeat: artifact.HeartbeatLife}},
		Chains: []artifact.Chain{
			{Name: "np_init", Rules: []artifact.Rule{{ID: "init", Do: []artifact.Statement{{Kind: artifact.DoSetCTLabel, Bit: bitSeen}}}}},
			{Name: "np_capture_pre", Hook: "prerouting", Type: "filter", Priority: -150, Rules: []artifact.Rule{
				{ID: "capture-pre/done", Match: []artifact.Match{{Kind: artifact.MatchCTMark, Mask: s.DoneMark, Not: true}}, Do: leave},
				{ID: "capture-pre/budget", Match: []artifact.Match{{Kind: artifact.MatchCTPackets, Limit: uint64(s.InspectPacket) + 1, Not: true}}, Do: leave},
				{ID: "capture-pre/original", Match: []artifact.Match{{Kind: artifact.MatchCTDirection, Name: "original"}}, Do: log("o")},
				{ID: "capture-pre/reply", Match: []artifact.Match{{Kind: artifact.MatchCTDirection, Name: "reply"}}, Do: log("r")},
			}},
		},
	}
}

// netpold starts to enforce on the router; stop ends it.
func (s *site) netpold(log *slog.Logger) (e *enforcement, stop func()) {
	s.t.Helper()
	return s.netpoldWith(log, func(*enforcement) {})
}

// netpoldWith is netpold with something done before it runs.
func (s *site) netpoldWith(log *slog.Logger, before func(*enforcement)) (e *enforcement, stop func()) {
	s.t.Helper()
	cfg := testConfig(s.t)
	cfg.interval = 100 * time.Millisecond
	e, err := newEnforcement(cfg, s.bundle, log, &nftset.Owner{})
	if err != nil {
		s.t.Fatal(err)
	}
	renew := e.upkeep.renew // a socket belongs to the namespace of the thread that opens it
	e.upkeep.renew = func(family, table string, sets []artifact.Set) (err error) {
		s.Router.Do(func() { err = renew(family, table, sets) })
		return err
	}
	e.elements.Run = s.Router.Do
	before(e)
	failed := make(chan error, 1)
	go func() { failed <- e.run() }()
	stop = func() {
		e.close()
		if err := <-failed; err != nil {
			s.t.Error(err)
		}
		failed <- nil
	}
	s.t.Cleanup(stop)
	return e, stop
}

// talk opens a conversation; say sends n datagrams and reads the answers.
func (s *site) talk() (orig flow.Tuple, say func(n, size int)) {
	s.t.Helper()
	var out net.Conn
	var err error
	dial := net.Dialer{}
	if s.from.IsValid() {
		dial.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(s.from, 0))
	}
	s.Client.Do(func() { out, err = dial.Dial("udp", s.server.String()) })
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = out.Close() })
	src := netip.MustParseAddrPort(out.LocalAddr().String())
	orig = flow.Tuple{Src: src.Addr(), Dst: s.server.Addr(), SrcPort: src.Port(), DstPort: s.server.Port(), Proto: 17}
	return orig, func(n, size int) {
		s.t.Helper()
		buf := make([]byte, 2000)
		for range n {
			if _, err := out.Write(bytes.Repeat([]byte{'?'}, size)); err != nil {
				s.t.Fatal(err)
			}
			_ = out.SetReadDeadline(time.Now().Add(patience))
			if _, err := out.Read(buf); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

// labelled waits until the connection is decided and has exactly these labels.
func (s *site) labelled(orig flow.Tuple, bits ...int) {
	s.t.Helper()
	want := [16]byte{}
	for _, b := range bits {
		want[0] |= 1 << b
	}
	var c ct.Conn
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var err error
		if c, err = s.client.Get(orig); err == nil && c.Labels == want && c.Mark == 1<<31 {
			return
		}
	}
	s.t.Fatalf("labels %x mark %#x, want labels %x", c.Labels, c.Mark, want)
}

// waitFor waits until ok.
func (s *site) waitFor(what string, ok func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	s.t.Fatalf("not within %s: %s", patience, what)
}

// TestCountersOfLiveFlows: labels follow what the kernel has counted, both
// ways, although no packet of the bulk reaches netpold.
func TestCountersOfLiveFlows(t *testing.T) {
	s := newSite(t)
	e, _ := s.netpold(slog.New(slog.DiscardHandler))
	conn, say := s.talk()
	say(6, 10)
	s.labelled(conn, bitPort)
	say(200, 1000)
	s.labelled(conn, bitPort, bitBulk, bitRate)
	s.labelled(conn, bitPort, bitBulk) // it fell silent
	if n := e.counters()["packets"]; n > 20 {
		t.Errorf("netpold saw %d packets, want the first ones only", n)
	}
	flows := e.engine.Flows(10)
	if len(flows) != 1 || flows[0].Packets != 412 || flows[0].Bytes != 12*(28+10)+400*(28+1000) {
		t.Errorf("got %+v, want what conntrack has counted", flows)
	}
}

// TestAdoptionAcrossRestarts: flows born while netpold was down are decided as
// soon as it starts; what an earlier netpold decided stays.
func TestAdoptionAcrossRestarts(t *testing.T) {
	s := newSite(t)
	unseen, say := s.talk()
	say(20, 10)
	_, stop := s.netpold(slog.New(slog.DiscardHandler))
	s.labelled(unseen, bitPort)
	seen, say := s.talk()
	say(6, 10)
	s.labelled(seen, bitPort)
	stop()

	e, _ := s.netpold(slog.New(slog.DiscardHandler))
	s.waitFor("two connections adopted", func() bool { return e.counters()["adopted"] == 2 })
	s.labelled(unseen, bitPort)
	s.labelled(seen, bitPort)
	say(200, 1000)
	s.labelled(seen, bitPort, bitBulk, bitRate) // its counters are read on
	if n := e.counters()["unlabelable"]; n != 0 {
		t.Errorf("%d connections without room for labels", n)
	}
}

// TestUnlabelableIsCounted: a connection older than the first rule that sets a
// label keeps its traffic, and status says how many there are.
func TestUnlabelableIsCounted(t *testing.T) {
	s := newSite(t)
	if err := nft.Delete("inet", "netpol"); err != nil {
		t.Fatal(err)
	}
	s.Router.Run("nft", "table inet t { chain c { type filter hook prerouting priority 0; ct state new counter; }; }")
	older, say := s.talk()
	say(20, 10)
	if err := nft.Apply(&s.bundle.Ruleset); err != nil {
		t.Fatal(err)
	}
	e, _ := s.netpold(slog.New(slog.DiscardHandler))
	s.waitFor("a connection without room", func() bool { return e.counters()["unlabelable"] == 1 })
	s.waitFor("its done mark", func() bool {
		c, err := s.client.Get(older)
		return err == nil && c.Mark == 1<<31 && !c.HasLabels
	})
}

// TestHeartbeatReachesTheKernel: the set is filled while netpold runs.
func TestHeartbeatReachesTheKernel(t *testing.T) {
	s := newSite(t)
	list := func() string { return s.Router.Run("nft", "list", "set", "inet", "netpol", "np_alive") }
	if strings.Contains(list(), "expires") {
		t.Fatal("alive before it lives")
	}
	e, _ := s.netpold(slog.New(slog.DiscardHandler))
	s.waitFor("a heartbeat", func() bool { return e.counters()["beats"] > 0 })
	if got := list(); !strings.Contains(got, "ipv4") || !strings.Contains(got, "ipv6") || strings.Count(got, "expires") != 2 {
		t.Errorf("got %s", got)
	}
}
