package daemon

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
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
	s.told, _ = s.withSinks()
	s.bundle.Sinks[0].Records = append(s.bundle.Sinks[0].Records, "aggregate")
	s.bundle.Aggregates = []artifact.Aggregate{{Name: "care", By: []string{"ip_protocol"}, Health: true, Interval: time.Second, Top: 10, Keys: 16, Sinks: []int{0}}}
	e, _ := s.netpoldWith(log, func(e *enforcement) {
		e.inputs.workers = 3
		e.inputs.netlink = func() (fd int, err error) {
			s.Router.Do(func() {
				fd, err = syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, syscall.NETLINK_ROUTE)
			})
			return fd, err
		}
		e.inputs.socket = func() (fd int, err error) {
			s.Router.Do(func() {
				fd, err = syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
			})
			return fd, err
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
	s.waitFor("the first packets", func() bool { return e.inputs.counters()["input_mirror_packets"] >= 10 })
	if n := e.inputs.counters()["input_mirror_packets"]; n > 60 {
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
	s.waitFor("no input", func() bool { return len(e.inputs.counters()) == 1 }) // inputs_lost
}

// says waits until this is why inputs are not read; empty when they are.
func (s *site) says(e *enforcement, want string) {
	s.t.Helper()
	got := ""
	defer func() {
		if got != want {
			s.t.Logf("the reasons are %q, want %q", got, want)
		}
	}()
	s.waitFor(want, func() bool {
		got = ""
		for _, r := range e.inputs.reasons() {
			got += r.Detail
		}
		_, opened := e.inputs.counters()["input_"+s.bundle.Inputs[0].Name+"_packets"]
		return got == want && (want != "" || opened)
	})
}

// An interface that is not there is told of, and read when it is.
func TestInputWaitsForItsInterface(t *testing.T) {
	s, e := watching(t, slog.New(slog.DiscardHandler), artifact.Input{Name: "late", Interface: "late0"})
	s.waitFor("a fault", func() bool { return e.inputs.counters()["input_late_unreadable"] == 1 })
	s.says(e, "the input late is not read: open packet ring on late0: no such interface: no such device")
	s.Router.Run("ip", "link", "add", "late0", "type", "veth", "peer", "name", "late1")
	s.says(e, "the input late is not read: the interface late0 is down")
	s.Router.Run("ip", "link", "set", "late0", "up")
	s.says(e, "")
}

// What happens to an input's interface is told, and its flows are seen again when it
// is back; what goes by another name is not.
func TestInputFollowsItsInterface(t *testing.T) {
	s, e := watching(t, slog.New(slog.DiscardHandler), artifact.Input{Name: "lan", Interface: kerneltest.ClientDevice})
	s.says(e, "")
	seen := func() (tuple flow.Tuple, known bool) {
		tuple, say := s.talk()
		say(3, 100)
		_, known = e.inputs.why(tuple)
		return tuple, known
	}
	sees := func() {
		t.Helper()
		tuple, _ := seen()
		s.waitFor("the flow", func() bool { _, ok := e.inputs.why(tuple); return ok })
	}
	link := func(args ...string) { s.Router.Run("ip", append([]string{"link", "set"}, args...)...) }
	sees()
	link("lan0", "down")
	s.says(e, "the input lan is not read: the interface lan0 is down")
	link("lan0", "up")
	s.says(e, "")
	sees()

	link("lan0", "down")
	link("lan0", "name", "lan9")
	s.says(e, "the input lan is not read: there is no interface lan0")
	link("lan9", "up")
	unseen, _ := seen()
	link("lan9", "down")
	link("lan9", "name", "lan0")
	link("lan0", "up")
	s.says(e, "")
	sees()
	if _, ok := e.inputs.why(unseen); ok {
		t.Error("what bore another name was read")
	}
	c := e.inputs.counters()
	if c["input_lan_outages"] != 2 || c["input_lan_lost"] != 0 || c["input_lan_unreadable"] != 0 {
		t.Errorf("counters %v, want two outages and no loss", c)
	}
	var workers uint64
	for i := range 3 {
		n, ok := c[fmt.Sprintf("input_lan_worker_%d_packets", i)]
		if workers += n; !ok {
			t.Errorf("worker %d is not counted: %v", i, c)
		}
	}
	if workers != c["input_lan_packets"] {
		t.Errorf("the workers have read %d packets of %d", workers, c["input_lan_packets"])
	}
}

// The side of a flow that is local goes by the role of interfaces, and is another one
// when the kernel's networks are: for flows that are known already, too.
func TestInputFindsLocalNetworks(t *testing.T) {
	in := artifact.Input{Name: "lan", Interface: kerneltest.ClientDevice, Role: artifact.RoleLAN}
	wan := artifact.Input{Name: "wan", Interface: kerneltest.ServerDevice, Role: artifact.RoleWAN}
	s, e := watching(t, slog.New(slog.DiscardHandler), in, wan)
	s.says(e, "")
	found := func() uint64 { return e.inputs.counters()["inputs_local_networks"] }
	s.waitFor("the networks that there are", func() bool { return found() == 4 })
	// Hosts with public addresses on both sides, as with IPv6: the client's are not
	// known for local before the router has an address among them.
	s.Client.Run("ip", "addr", "add", "203.0.113.2/24", "dev", "eth0")
	s.Router.Run("ip", "route", "add", "203.0.113.2/32", "via", "192.168.77.2", "table", "100")
	s.Router.Run("ip", "rule", "add", "to", "203.0.113.2", "lookup", "100")
	s.from = netip.MustParseAddr("203.0.113.2")
	tuple, say := s.talk()
	say(3, 100)
	local := func() (origin, addr string) {
		why, ok := e.inputs.why(tuple)
		if !ok {
			return "", ""
		}
		for _, f := range why.Evidence {
			if f.Attribute == "origin" {
				origin = f.Value
			}
		}
		return origin, why.Flow.LocalIP.String()
	}
	s.waitFor("nobody's flow", func() bool { origin, _ := local(); return origin == "origin_unknown" })
	s.Router.Run("ip", "addr", "add", "203.0.113.1/24", "dev", "lan0")
	s.waitFor("the LAN's flow", func() bool { origin, addr := local(); return origin == "origin_local" && addr == "203.0.113.2" })
	s.Router.Run("ip", "addr", "del", "203.0.113.1/24", "dev", "lan0")
	s.waitFor("nobody's flow again", func() bool { origin, _ := local(); return origin == "origin_unknown" })

	// One to the router itself: its own address is the local side.
	s.Router.Run("ip", "addr", "add", "203.0.113.9/32", "dev", "wan0")
	s.waitFor("the WAN's own address", func() bool { return found() == 5 })
	next := *s.bundle
	next.Inputs = nil
	if err := e.reload(&next); err != nil {
		t.Fatal(err)
	}
	s.waitFor("no networks", func() bool { _, ok := e.inputs.counters()["inputs_local_networks"]; return !ok })
}

// Each packet and each flow of an interface counts once, whichever worker reads it,
// and records of both directions are one.
func TestInputCountsOnce(t *testing.T) {
	s, e := watching(t, slog.New(slog.DiscardHandler), artifact.Input{Name: "lan", Interface: kerneltest.ClientDevice})
	s.says(e, "")
	const flows, packets = 20, 10
	for i := range flows { // of several pairs of hosts, so of several workers
		s.Client.Run("ip", "addr", "add", fmt.Sprintf("192.168.77.%d/24", 100+i), "dev", "eth0")
		s.from = netip.AddrFrom4([4]byte{192, 168, 77, byte(100 + i)})
		_, say := s.talk()
		say(packets, 100)
	}
	mine := func() (n int, ok bool) {
		for _, f := range e.inputs.flows(1000) {
			if f.DstPort != int(s.server.Port()) {
				continue
			}
			if f.Interface != kerneltest.ClientDevice || f.Input != "lan" {
				t.Errorf("seen on %q by %q", f.Interface, f.Input)
			}
			if n++; f.Packets > 2*packets {
				t.Errorf("flow of %s has %d packets, want %d", f.SrcIP, f.Packets, 2*packets)
			}
			if f.Packets < 2*packets {
				return n, false
			}
		}
		return n, n >= flows
	}
	s.waitFor("all flows whole", func() bool { _, ok := mine(); return ok })
	if n, _ := mine(); n != flows {
		t.Errorf("%d flows, want %d", n, flows)
	}
	e.close()
	ends := 0
	for _, r := range s.inFile(s.told, "flow_end") {
		if r.Flow.OtherPort != int(s.server.Port()) {
			continue
		}
		if ends++; r.Interface != kerneltest.ClientDevice || r.Input != "lan" || r.Flow.OtherPackets != packets {
			t.Errorf("record %+v, want %d packets of the server, seen on lan0 by the input lan", r, packets)
		}
	}
	if ends != flows {
		t.Errorf("%d records of flows that are over, want %d", ends, flows)
	}
}
