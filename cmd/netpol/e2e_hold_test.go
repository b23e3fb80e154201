package main

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// holdPolicy stops a name in TLS and in questions to DNS.
const holdPolicy = `policy "blocked" {
  criteria = ["domain(hostname, 'blocked.example')", "domain(dns_hostname, 'blocked.example')"]
  verdict  = "drop"
  hold     = %v
  on_fail  = %q
}
`

// waiting is a setting for holdPolicy: so many packets may wait.
func waiting(packets int) string {
	return fmt.Sprintf("netpol {\n  hold_packets = %d\n}\n", packets)
}

// silence is how long nothing must come that is held back, or come late.
const silence = 500 * time.Millisecond

// sink counts what reaches the server: bytes on TCP port 443, and datagrams on
// UDP port 53, which it answers.
type sink struct {
	bytes, datagrams atomic.Int64
}

func newSink(t *testing.T, ns *kerneltest.NS) *sink {
	t.Helper()
	s := &sink{}
	var l net.Listener
	var in net.PacketConn
	var err error
	ns.Do(func() {
		if l, err = net.Listen("tcp", ":443"); err == nil {
			in, err = net.ListenPacket("udp", ":53")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); in.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				buf := make([]byte, 1<<16)
				for {
					n, err := c.Read(buf)
					if s.bytes.Add(int64(n)); err != nil {
						return
					}
				}
			}()
		}
	}()
	go func() {
		buf := make([]byte, 2000)
		for {
			n, from, err := in.ReadFrom(buf)
			if err != nil {
				return
			}
			s.datagrams.Add(1)
			_, _ = in.WriteTo(buf[:n], from)
		}
	}()
	return s
}

// helloOf is the ClientHello that asks for a name.
func helloOf(t *testing.T, name string) []byte {
	t.Helper()
	ours, theirs := net.Pipe()
	go func() { _ = tls.Client(ours, &tls.Config{ServerName: name}).Handshake() }()
	defer ours.Close()
	header := make([]byte, 5)
	if _, err := io.ReadFull(theirs, header); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, binary.BigEndian.Uint16(header[3:]))
	if _, err := io.ReadFull(theirs, body); err != nil {
		t.Fatal(err)
	}
	return append(header, body...)
}

// greet opens a connection and says hello; the error is of the connection.
func greet(t *testing.T, ns *kerneltest.NS, server netip.Addr, name string) error {
	t.Helper()
	var c net.Conn
	var err error
	ns.Do(func() { c, err = net.DialTimeout("tcp", netip.AddrPortFrom(server, 443).String(), 10*time.Second) })
	if err != nil {
		return err
	}
	t.Cleanup(func() { c.Close() })
	_, err = c.Write(helloOf(t, name))
	return err
}

// question is a question to DNS for an address.
func question(name string) []byte {
	q := []byte{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	for part := range strings.SplitSeq(name, ".") {
		q = append(append(q, byte(len(part))), part...)
	}
	return append(q, 0, 0, 1, 0, 1)
}

// query sends a question from a port of its own and says whether an answer came
// within the time.
func query(t *testing.T, ns *kerneltest.NS, server netip.Addr, name string, within time.Duration) bool {
	t.Helper()
	var c net.Conn
	var err error
	ns.Do(func() { c, err = net.Dial("udp", netip.AddrPortFrom(server, 53).String()) })
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write(question(name)); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(within))
	_, err = c.Read(make([]byte, 2000))
	return err == nil
}

// holdSite is a router between client and server that has a policy and netpold.
func holdSite(t *testing.T, policy string) (*site, *kerneltest.Lab, *sink, *enforcer) {
	t.Helper()
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.installEnforcer()
	s.write("policies/zoom.netpol.hcl", policy)
	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.wantText(s.netpol(0, "plan", s.policies), "No changes.")
	e := s.startEnforcer()
	return s, lab, newSink(t, lab.Server), e
}

// awake waits until packets are held.
func (s *site) awake() {
	s.t.Helper()
	s.eventually("packets are held", func() bool {
		return strings.Contains(s.ns.Run("nft", "list set inet netpol np_hold_alive"), "expires")
	})
}

// What a policy stops that holds never reaches the server, not even the packet
// that gives it away; everything else does, as it was.
func TestHeldPacketsDoNotLeak(t *testing.T) {
	leaksNothing(t, "", "0x1234", "0x7f000000")
}

// Somebody else uses the bits that packets wait with by default, on all of them:
// route_mark moves those too, unless hold_mark says where.
func TestHeldPacketsBesideAnothersMarks(t *testing.T) {
	leaksNothing(t, "netpol {\n  route_mark = \"0xf00000\"\n}\n", "0x7f001234", "0xf00000")
}

// leaksNothing holds with settings, beside somebody's mark; ours are bits that no
// packet has where it leaves.
func leaksNothing(t *testing.T, settings, theirs, ours string) {
	t.Helper()
	s, lab, sink, _ := holdSite(t, settings+fmt.Sprintf(holdPolicy, true, "open"))
	s.awake()
	// Somebody else's mark must survive the way through netpold.
	s.ns.Run("nft", `add table inet marks; add chain inet marks pre { type filter hook prerouting priority -300; };
add rule inet marks pre udp dport 53 meta mark set `+theirs+`;
add chain inet marks after { type filter hook forward priority 300; };
add rule inet marks after udp dport 53 meta mark `+theirs+` counter;
add rule inet marks after meta mark and `+ours+` != 0 counter drop`)
	for _, server := range []netip.Addr{lab.ServerAddr4, lab.ServerAddr6} {
		sink.bytes.Store(0)
		sink.datagrams.Store(0)
		if err := greet(t, lab.Client, server, "www.blocked.example"); err != nil {
			t.Fatal(err)
		}
		if query(t, lab.Client, server, "www.blocked.example", silence) {
			t.Errorf("%v: a question for the blocked name was answered", server)
		}
		time.Sleep(silence)
		if bytes, datagrams := sink.bytes.Load(), sink.datagrams.Load(); bytes != 0 || datagrams != 0 {
			t.Errorf("%v: %d bytes and %d datagrams reached the server, want none", server, bytes, datagrams)
		}
		if err := greet(t, lab.Client, server, "www.other.example"); err != nil {
			t.Fatal(err)
		}
		if !query(t, lab.Client, server, "www.other.example", patience) {
			t.Errorf("%v: another question was not answered", server)
		}
		s.eventually("the other hello arrives", func() bool { return sink.bytes.Load() > 0 })
	}
	s.wantText(s.ns.Run("nft", "list chain inet marks after"), "packets 2 bytes", "counter packets 0 bytes 0 drop")
	s.wantText(s.netpol(0, "plan", s.policies), "No changes.")
	out := s.netpol(0, "show")
	s.wantText(strings.Join(strings.Fields(out), " "), "held_told 2 ")
	for _, never := range []string{"held_late", "hold_missed", "held_refused", "release_errors"} { // those at zero are not shown
		if strings.Contains(out, never) {
			t.Errorf("%s is not zero:\n%s", never, out)
		}
	}
}

// The same policy without hold lets through what comes before netpold decides.
// netpold is stopped meanwhile: its verdict may be there before the server has read.
func TestWithoutHoldTheFirstPacketsPass(t *testing.T) {
	s, lab, sink, e := holdSite(t, fmt.Sprintf(holdPolicy, false, "open"))
	if err := e.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := greet(t, lab.Client, lab.ServerAddr4, "www.blocked.example"); err != nil {
		t.Fatal(err)
	}
	query(t, lab.Client, lab.ServerAddr4, "www.blocked.example", silence)
	s.eventually("hello and question arrive", func() bool { return sink.bytes.Load() > 0 && sink.datagrams.Load() > 0 })
	if err := e.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}

// The router's own packets wait as well.
func TestRoutersOwnPacketsAreHeld(t *testing.T) {
	s, lab, sink, _ := holdSite(t, fmt.Sprintf(holdPolicy, true, "open"))
	s.awake()
	if query(t, lab.Router, lab.ServerAddr4, "www.blocked.example", silence) || sink.datagrams.Load() != 0 {
		t.Errorf("%d datagrams reached the server, want none", sink.datagrams.Load())
	}
	if !query(t, lab.Router, lab.ServerAddr6, "www.other.example", patience) {
		t.Error("another question was not answered")
	}
	if err := greet(t, lab.Router, lab.ServerAddr4, "www.blocked.example"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(silence)
	if n := sink.bytes.Load(); n != 0 {
		t.Errorf("%d bytes reached the server, want none", n)
	}
}

// Translated addresses make no difference.
func TestHeldPacketsAreTranslated(t *testing.T) {
	s, lab, sink, _ := holdSite(t, fmt.Sprintf(holdPolicy, true, "open"))
	s.ns.Run("nft", "add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; }; add rule ip nat post masquerade")
	s.awake()
	lab.Server.Run("ip", "route", "del", "default")
	if query(t, lab.Client, lab.ServerAddr4, "www.blocked.example", silence) || sink.datagrams.Load() != 0 {
		t.Errorf("%d datagrams reached the server, want none", sink.datagrams.Load())
	}
	if !query(t, lab.Client, lab.ServerAddr4, "www.other.example", patience) {
		t.Error("another question was not answered")
	}
	for _, name := range []string{"www.blocked.example", "www.other.example"} {
		sink.bytes.Store(0)
		if err := greet(t, lab.Client, lab.ServerAddr4, name); err != nil {
			t.Fatal(err)
		}
		time.Sleep(silence)
		if got, want := sink.bytes.Load() > 0, name == "www.other.example"; got != want {
			t.Errorf("%s reached the server: %v, want %v", name, got, want)
		}
	}
}

// A netpold that is gone holds nothing up.
func TestHoldFailsOpen(t *testing.T) {
	s, lab, sink, e := holdSite(t, fmt.Sprintf(holdPolicy, true, "open"))
	s.awake()
	if err := e.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = e.cmd.Wait()
	for _, server := range []netip.Addr{lab.ServerAddr4, lab.ServerAddr6} {
		if !query(t, lab.Client, server, "www.blocked.example", patience) {
			t.Errorf("%v: no answer while netpold is dead", server)
		}
	}
	s.startEnforcer()
	s.awake()
	before := sink.datagrams.Load()
	if query(t, lab.Client, lab.ServerAddr4, "www.blocked.example", silence) || sink.datagrams.Load() != before {
		t.Error("a netpold that runs again holds nothing")
	}
}

// Where a policy fails closed, nothing passes unjudged: not at the moment of
// netpold's death, not before the kernel notices, and not after.
func TestHoldFailsClosed(t *testing.T) {
	s, lab, sink, e := holdSite(t, fmt.Sprintf(holdPolicy, true, "closed"))
	s.awake()
	if !query(t, lab.Client, lab.ServerAddr4, "www.other.example", patience) {
		t.Fatal("no answer while netpold runs")
	}
	before := sink.datagrams.Load()
	if err := e.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); {
		query(t, lab.Client, lab.ServerAddr4, "www.blocked.example", 5*time.Millisecond)
	}
	if err := e.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = e.cmd.Wait()
	for range 20 {
		query(t, lab.Client, lab.ServerAddr4, "www.blocked.example", 5*time.Millisecond)
	}
	if n := sink.datagrams.Load() - before; n != 0 {
		t.Errorf("%d datagrams reached the server while nobody could judge, want none", n)
	}
	s.startEnforcer()
	s.awake()
	if !query(t, lab.Client, lab.ServerAddr4, "www.other.example", patience) {
		t.Error("no answer from a netpold that runs again")
	}
}

// A netpold that hangs holds up no more packets than may wait, and for no longer
// than its heartbeat lives. Those it has, it lets go on when it runs again.
func TestHungEnforcerHoldsLittle(t *testing.T) {
	s, lab, sink, e := holdSite(t, waiting(8)+fmt.Sprintf(holdPolicy, true, "open"))
	s.awake()
	if err := e.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	const flows = 60
	defer func() {
		if t.Failed() {
			t.Logf("%d datagrams arrived; queues, and what conntrack dropped:\n%s%s", sink.datagrams.Load(), s.ns.Run("cat", "/proc/net/netfilter/nfnetlink_queue"), s.ns.Run("conntrack", "-S"))
		}
	}()
	for range flows {
		query(t, lab.Client, lab.ServerAddr4, "www.other.example", time.Millisecond)
	}
	// What netpold has stays with it while it is stopped, gate or no gate: waiting
	// here is for those on their way to the server only. Eight wait as the first packets of their connections, and
	// up to eight in another queue, where a port was used again and its connection is known.
	s.eventually("all but those that may wait pass", func() bool { return sink.datagrams.Load() >= flows-2*8 })
	s.eventually("the gate is shut", func() bool {
		return !strings.Contains(s.ns.Run("nft", "list set inet netpol np_hold_alive"), "expires")
	})
	took := time.Since(began)
	stuck := flows - sink.datagrams.Load()
	if stuck < 1 {
		t.Error("no packet is stuck, want some")
	}
	if took > 10*time.Second { // 2 s, and what a busy machine adds
		t.Errorf("packets were held for %v, want 2 s", took)
	}
	if !query(t, lab.Client, lab.ServerAddr4, "www.other.example", patience) {
		t.Error("no answer while netpold hangs")
	}
	if err := e.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	s.eventually("what was stuck arrives", func() bool { return sink.datagrams.Load() == flows+1 })
	s.wantText(s.netpol(0, "show"), "held_late ")
	t.Logf("%d of %d packets were stuck, for %v", stuck, flows, took.Round(time.Millisecond))
	s.awake()
	if query(t, lab.Client, lab.ServerAddr4, "www.blocked.example", silence) {
		t.Error("a netpold that runs again holds nothing")
	}
}

// Going over to other policies, to other queues and to none loses nobody.
func TestHoldThroughReloads(t *testing.T) {
	s, lab, sink, _ := holdSite(t, fmt.Sprintf(holdPolicy, true, "open"))
	s.awake()
	for _, policy := range []string{
		"netpol {\n  hold_queue = 4790\n}\n" + fmt.Sprintf(holdPolicy, true, "closed"),
		fmt.Sprintf(holdPolicy, false, "open"),
		fmt.Sprintf(holdPolicy, true, "open"),
	} {
		s.write("policies/zoom.netpol.hcl", policy)
		s.netpol(0, "apply", "--auto-approve", s.policies)
		s.wantText(s.netpol(0, "plan", s.policies), "No changes.")
		holds := strings.Contains(policy, "hold     = true")
		if holds {
			s.awake()
		}
		before := sink.datagrams.Load()
		query(t, lab.Client, lab.ServerAddr4, "www.blocked.example", silence)
		if passed := sink.datagrams.Load() != before; passed == holds {
			t.Errorf("with hold = %v the first packet passes: %v", holds, passed)
		}
		if !query(t, lab.Client, lab.ServerAddr4, "www.other.example", patience) {
			t.Errorf("no answer with hold = %v", holds)
		}
		if holds != bytes.Contains([]byte(s.ns.Run("cat", "/proc/net/netfilter/nfnetlink_queue")), []byte("479")) {
			t.Errorf("with hold = %v the queues are %s", holds, s.ns.Run("cat", "/proc/net/netfilter/nfnetlink_queue"))
		}
	}
	s.netpol(0, "destroy", "--auto-approve")
	if !query(t, lab.Client, lab.ServerAddr4, "www.blocked.example", patience) {
		t.Error("no answer after destroy")
	}
}

// A TLS connection waits until its name says that no policy which holds is meant,
// and no longer, although its analysis goes on.
func TestOtherNamesWaitUntilTheirHello(t *testing.T) {
	s, lab, sink, _ := holdSite(t, fmt.Sprintf(holdPolicy, true, "open"))
	s.awake()
	c := dialHTTPS(t, lab)
	local := netip.MustParseAddrPort(c.LocalAddr().String())
	hold := s.bit("np-hold")
	if entry := s.conn(local, lab.ServerAddr4); !entry.Has(hold) {
		t.Fatal("the connection does not wait before it has a name")
	}
	if _, err := c.Write(helloOf(t, "www.other.example")); err != nil {
		t.Fatal(err)
	}
	s.eventually("the hello arrives", func() bool { return sink.bytes.Load() > 0 })
	s.eventually("nothing waits any more", func() bool {
		entry := s.conn(local, lab.ServerAddr4)
		return !entry.Has(hold)
	})
	if entry := s.conn(local, lab.ServerAddr4); entry.Mark&doneMark != 0 {
		t.Error("analysis is over: the test shows nothing")
	}
	s.wantText(strings.Join(strings.Fields(s.netpol(0, "show")), " "), "held_released 1")
}

// A hello takes more packets than inspect_packets when it comes in small segments,
// with an acknowledgement for each: it is read all the same.
func TestHelloInSmallSegmentsIsHeld(t *testing.T) {
	s, lab, sink, _ := holdSite(t, fmt.Sprintf(holdPolicy, true, "open"))
	s.awake()
	hello := helloOf(t, "www.blocked.example")
	for _, size := range []int{100, 40} {
		t.Logf("a hello of %d bytes in %d segments", len(hello), (len(hello)+size-1)/size)
		c := dialHTTPS(t, lab)
		sink.bytes.Store(0)
		for rest := hello; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			if _, err := c.Write(rest[:min(size, len(rest))]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Millisecond) // the next is a segment of its own
		}
		local := netip.MustParseAddrPort(c.LocalAddr().String())
		s.eventually("the connection is stopped", func() bool {
			entry := s.conn(local, lab.ServerAddr4)
			return entry.Has(s.bit("np-drop"))
		})
		if got := sink.bytes.Load(); got >= int64(len(hello)) {
			t.Errorf("in segments of %d: %d bytes reached the server, want less than the hello", size, got)
		}
	}
}

// dialHTTPS opens a connection to the server's port 443 that says nothing yet.
func dialHTTPS(t *testing.T, lab *kerneltest.Lab) net.Conn {
	t.Helper()
	var c net.Conn
	var err error
	lab.Client.Do(func() {
		c, err = net.DialTimeout("tcp", netip.AddrPortFrom(lab.ServerAddr4, 443).String(), 10*time.Second)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
