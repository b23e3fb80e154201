package daemon

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/flowset"
)

// withSets has the policy "port" add its flows to a set of nftables and to an
// ipset.
func (s *site) withSets() {
	s.t.Helper()
	s.bundle.FlowSets = []artifact.FlowSet{
		{
			Block: "blocks", Kind: artifact.FlowSetNft, Family: "inet", Table: artifact.SetTable, Name: "blocks.v4", Version: 4,
			Fields:  []artifact.FlowField{artifact.FieldLocalAddr, artifact.FieldProto, artifact.FieldOtherPort, artifact.FieldOtherAddr},
			Timeout: 15 * time.Minute, Size: 100, Managed: true,
		},
		{
			Block: "games", Kind: artifact.FlowSetIpset, Name: "games.v4", Version: 4, Type: "hash:ip,port,ip",
			Fields:  []artifact.FlowField{artifact.FieldOtherAddr, artifact.FieldOtherPort, artifact.FieldLocalAddr},
			Timeout: 15 * time.Minute, Size: 100, Managed: true,
		},
		{
			Block: "six", Kind: artifact.FlowSetNft, Family: "inet", Table: artifact.SetTable, Name: "six", Version: 6,
			Fields: []artifact.FlowField{artifact.FieldLocalAddr}, Timeout: 15 * time.Minute, Size: 100, Managed: true,
		},
	}
	s.bundle.Program.Effects[0].Adds = []int{0, 1, 2}
	if _, err := flowset.Prepare(s.bundle.FlowSets, func(*artifact.FlowSet) {}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) nftSet(name string) string {
	return s.Router.Run("nft", "list", "set", "inet", artifact.SetTable, name)
}

func (s *site) inSets() (nft, ipset bool) {
	s.t.Helper()
	inNft := fmt.Sprintf("%s . udp . %d . %s expires", s.ClientAddr4, s.server.Port(), s.ServerAddr4)
	inIpset := fmt.Sprintf("%s,udp:%d,%s timeout", s.ServerAddr4, s.server.Port(), s.ClientAddr4)
	return strings.Contains(s.nftSet("blocks.v4"), inNft), strings.Contains(s.Router.Run("ipset", "list", "games.v4"), inIpset)
}

// A flow is in the sets of its policies while conntrack has it, across a restart
// of netpold as well, and then in none.
func TestFlowsAreInTheirSets(t *testing.T) {
	s := newSite(t)
	s.withSets()
	e, stop := s.netpold(slog.New(slog.DiscardHandler))
	_, say := s.talk()
	both := func() bool { a, b := s.inSets(); return a && b }
	neither := func() bool { a, b := s.inSets(); return !a && !b }
	if !neither() {
		t.Fatal("there before any flow")
	}
	say(8, 100)
	s.waitFor("the flow in both sets", both)
	if out := s.nftSet("six"); strings.Contains(out, "elements") {
		t.Errorf("an IPv4 flow in a set of IPv6: %s", out)
	}
	s.waitFor("two elements counted", func() bool { return e.counters()["elements"] == 2 })
	stop()
	if !both() {
		t.Error("the end of netpold took the flow out of its sets")
	}
	e, stop = s.netpold(slog.New(slog.DiscardHandler))
	s.waitFor("the connection adopted", func() bool { return e.counters()["adopted"] == 1 })
	s.waitFor("its elements known", func() bool { return e.counters()["elements"] == 2 })
	say(1, 100)
	s.Router.Run("conntrack", "-D", "-p", "udp")
	s.waitFor("the flow out of both sets", neither)
	if n := e.counters()["element_errors"]; n != 0 {
		t.Errorf("%d changes failed", n)
	}
	stop()
}

// What a set does not take is logged once, with the way out, and the set gets
// it when it is there again.
func TestMissingSetIsToldOnce(t *testing.T) {
	s := newSite(t)
	s.withSets()
	for i := range s.bundle.FlowSets {
		s.bundle.FlowSets[i].Managed = false
	}
	s.Router.Run("ipset", "destroy", "games.v4")
	var log bytes.Buffer
	e, stop := s.netpold(slog.New(slog.NewTextHandler(&log, nil)))
	_, say := s.talk()
	say(8, 100)
	s.waitFor("the set of nftables filled", func() bool { return strings.Contains(s.nftSet("blocks.v4"), s.ServerAddr4.String()+" expires") })
	s.waitFor("a fault", func() bool { return e.counters()["element_errors"] > 0 })
	stop()
	if got := strings.Count(log.String(), "set did not take flows"); got != 1 || !strings.Contains(log.String(), "managed = true") {
		t.Errorf("told %d times, want once with the way out:\n%s", got, log.String())
	}
}

// Sets are emptied at the beginning and the end where that is asked for.
func TestSetsAreEmptied(t *testing.T) {
	s := newSite(t)
	s.withSets()
	s.Router.Run("nft", "add", "element", "inet", artifact.SetTable, "blocks.v4", "{ 10.0.0.1 . tcp . 1 . 10.0.0.2 }")
	s.Router.Run("ipset", "add", "games.v4", "10.0.0.1,tcp:1,10.0.0.2")
	s.bundle.FlowSets[0].FlushOnCreate = true
	s.bundle.FlowSets[1].FlushOnDestroy = true
	_, stop := s.netpold(slog.New(slog.DiscardHandler))
	s.waitFor("the set of nftables empty", func() bool { return !strings.Contains(s.nftSet("blocks.v4"), "10.0.0.1") })
	list := func() string { return s.Router.Run("ipset", "list", "games.v4") }
	if !strings.Contains(list(), "10.0.0.1,tcp:1,10.0.0.2") {
		t.Errorf("the ipset was emptied at the beginning: %s", list())
	}
	stop()
	if !strings.Contains(list(), "Number of entries: 0") {
		t.Errorf("the ipset was not emptied at the end: %s", list())
	}
}
