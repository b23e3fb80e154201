package daemon

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/capture"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// watching starts netpold with inputs, without rules that would show it
// anything.
func watching(t *testing.T, log *slog.Logger, list ...artifact.Input) (*site, *enforcement) {
	t.Helper()
	s := newSite(t)
	s.bundle.Ruleset.Chains = s.bundle.Ruleset.Chains[:1]
	s.Router.Run("nft", "delete", "table", "inet", "netpol")
	s.bundle.Inputs = list
	e, _ := s.netpoldWith(log, func(e *enforcement) {
		e.inputs.open = func(cfg capture.RingConfig) (r *capture.Ring, err error) {
			s.Router.Do(func() { r, err = capture.OpenRing(cfg) })
			return r, err
		}
	})
	return s, e
}

// An input names flows that no rule shows, writes nothing, and follows the
// bundle.
func TestInputNamesFlows(t *testing.T) {
	in := artifact.Input{Name: "mirror", Interface: kerneltest.ClientDevice, FirstPackets: 10, Promiscuous: true}
	s, e := watching(t, slog.New(slog.DiscardHandler), in)
	s.waitFor("the interface read", func() bool { _, ok := e.inputs.counters()["input_mirror_packets"]; return ok })
	tuple, say := s.talk()
	say(100, 100)
	s.waitFor("the flow", func() bool { return e.inputs.counters()["input_mirror_flows"] >= 1 })
	s.waitFor("the account of the flow", func() bool {
		why, ok := e.inputs.why(tuple)
		return ok && len(why.Flow.Policies) > 0 && why.Flow.Policies[0] == "port"
	})
	if n := e.inputs.counters()["input_mirror_packets"]; n < 10 || n > 60 {
		t.Errorf("read %d packets of 200: first packets are not held to", n)
	}
	if out := s.Router.Run("conntrack", "-L", "-o", "labels"); strings.Contains(out, "labels=") {
		t.Errorf("an input has written labels:\n%s", out)
	}
	next := *s.bundle
	next.Inputs = nil
	if err := e.reload(&next); err != nil {
		t.Fatal(err)
	}
	s.waitFor("no input", func() bool { return len(e.inputs.counters()) == 0 })
}

// An interface that is not there is told of once, and read when it is.
func TestInputWaitsForItsInterface(t *testing.T) {
	var log bytes.Buffer
	s, e := watching(t, slog.New(slog.NewTextHandler(&log, nil)), artifact.Input{Name: "late", Interface: "late0"})
	s.waitFor("a fault", func() bool { return e.inputs.counters()["input_late_unreadable"] == 1 })
	time.Sleep(2 * inputRetry)
	s.Router.Run("ip", "link", "add", "late0", "type", "veth", "peer", "name", "late1")
	s.Router.Run("ip", "link", "set", "late0", "up")
	s.waitFor("the interface read", func() bool { _, ok := e.inputs.counters()["input_late_packets"]; return ok })
	e.close()
	if n := strings.Count(log.String(), "input cannot be read"); n != 1 {
		t.Errorf("told %d times, want once:\n%s", n, log.String())
	}
}
