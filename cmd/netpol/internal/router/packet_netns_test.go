package router

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// The tests below look at what rules ask of each packet, in the real kernel and
// without netpold.

// echo answers UDP datagrams with themselves.
func echo(t *testing.T, ns *kerneltest.NS, at netip.AddrPort) {
	t.Helper()
	var conn *net.UDPConn
	var err error
	ns.Do(func() { conn, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(at)) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buf := make([]byte, 2000)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			_, _ = conn.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
}

// talker sends datagrams of 1,000 bytes on one connection.
type talker struct {
	t    *testing.T
	conn net.Conn
}

func newTalker(t *testing.T, ns *kerneltest.NS, to netip.AddrPort) talker {
	t.Helper()
	var conn net.Conn
	var err error
	ns.Do(func() { conn, err = net.Dial("udp", to.String()) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return talker{t, conn}
}

// say sends one datagram and reports whether it came back; silence is short
// when none is expected.
func (k talker) say(expected bool) bool {
	k.t.Helper()
	patience := time.Minute
	if !expected {
		patience = 200 * time.Millisecond
	}
	if _, err := k.conn.Write(make([]byte, 1000)); err != nil && !errors.Is(err, os.ErrPermission) {
		k.t.Fatal(err)
	}
	_ = k.conn.SetReadDeadline(time.Now().Add(patience))
	_, err := k.conn.Read(make([]byte, 2000))
	return err == nil
}

// seen counts by code point what the server receives.
func seen(lab *kerneltest.Lab, codepoint string) string {
	listing := lab.Server.Run("nft", "list", "chain", "inet", "seen", "c")
	for _, line := range strings.Split(listing, "\n") {
		if strings.Contains(line, "dscp "+codepoint+" ") {
			var n, b int
			_, _ = fmt.Sscanf(line[strings.Index(line, "packets"):], "packets %d bytes %d", &n, &b)
			return fmt.Sprint(n)
		}
	}
	return "none in " + listing
}

func watchCodePoints(lab *kerneltest.Lab) {
	lab.Server.Run("nft", `table inet seen { chain c { type filter hook prerouting priority 0;
		ip dscp cs1 counter; ip dscp cs5 counter; }; }`)
}

func TestBytesChangeTheTreatmentInMidFlow(t *testing.T) {
	lab := kerneltest.NewLab(t)
	b := enforce(t, lab, `
policy "long" {
  criteria = "dst_port in 7000..7999 && src_bytes > 5000"
  label    = "long"
  mark     = "0x30/0xf0"
  dscp     = "cs1"
}
policy "short" {
  criteria = "dst_port in 7000..7999"
  dscp     = "cs5"
}
`)
	if artifact.NeedEnforcer(b.Policies, b.Sinks) {
		t.Error("bytes and ports need netpold")
	}
	watchCodePoints(lab)
	at := netip.AddrPortFrom(lab.ServerAddr4, 7001)
	echo(t, lab.Server, at)
	k := newTalker(t, lab.Client, at)
	for i := range 4 { // 1,028 bytes each, the sixth passes 5,000
		if !k.say(true) {
			t.Fatal("no answer to datagram", i)
		}
	}
	if c := entryTo(t, 7001); c.Has(bitOf(t, b, "long")) || c.Mark != 0 {
		t.Errorf("before 5,000 bytes: %+v", c)
	}
	for range 4 {
		k.say(true)
	}
	if c := entryTo(t, 7001); !c.Has(bitOf(t, b, "long")) || c.Mark != 0x30 {
		t.Errorf("after 5,000 bytes: %+v", c)
	}
	if cs5, cs1 := seen(lab, "cs5"), seen(lab, "cs1"); cs5 != "4" || cs1 != "4" {
		t.Errorf("code points on the wire: got %s of cs5 and %s of cs1, want 4 of each", cs5, cs1)
	}
}

func TestScheduleOpensAndCloses(t *testing.T) {
	for name, hours := range map[string]bool{"in force": true, "not in force": false} {
		t.Run(name, func(t *testing.T) {
			lab := kerneltest.NewLab(t)
			now := time.Now().UTC()
			from := now.Add(-2 * time.Hour)
			if !hours {
				from = now.Add(2 * time.Hour)
			}
			enforce(t, lab, fmt.Sprintf(`
schedule "window" {
  hours = ["%s-%s"]
}
policy "closed" {
  criteria = "dst_port == 7002"
  schedule = "window"
  verdict  = "drop"
}
policy "marked" {
  criteria = "dst_port == 7002 && schedule != 'window'"
  dscp     = "cs5"
}
`, from.Format("15:04"), from.Add(4*time.Hour).Format("15:04")))
			watchCodePoints(lab)
			at := netip.AddrPortFrom(lab.ServerAddr4, 7002)
			echo(t, lab.Server, at)
			if got := newTalker(t, lab.Client, at).say(!hours); got == hours {
				t.Errorf("datagram answered: got %v, want %v", got, !hours)
			}
			if got, want := seen(lab, "cs5"), map[bool]string{true: "0", false: "1"}[hours]; got != want {
				t.Errorf("packets of cs5: got %s, want %s", got, want)
			}
		})
	}
}

// TestFailsClosedWithoutNetpold: no netpold runs here, so flows that a policy
// could match are stopped once the heartbeat of the apply has died away.
func TestFailsClosedWithoutNetpold(t *testing.T) {
	lab := kerneltest.NewLab(t)
	enforce(t, lab, `
policy "no-games" {
  criteria = "local_ip in '192.168.77.0/24' && dst_port in [7003, 7004] && domain(hostname, 'games.example')"
  verdict  = "drop"
  on_fail  = "closed"
}
`)
	for _, port := range []uint16{7003, 7005} {
		echo(t, lab.Server, netip.AddrPortFrom(lab.ServerAddr4, port))
	}
	before := newTalker(t, lab.Client, netip.AddrPortFrom(lab.ServerAddr4, 7003))
	if !before.say(true) {
		t.Error("no answer while the heartbeat lives")
	}
	lab.Router.Run("nft", "flush", "set", "inet", "netpol", "np_alive")
	if before.say(false) {
		t.Error("an undecided flow passes without netpold")
	}
	if newTalker(t, lab.Client, netip.AddrPortFrom(lab.ServerAddr4, 7003)).say(false) {
		t.Error("a new flow passes without netpold")
	}
	if !newTalker(t, lab.Client, netip.AddrPortFrom(lab.ServerAddr4, 7005)).say(true) {
		t.Error("a flow that no policy could match is stopped")
	}
	lab.Router.Run("nft", "add", "element", "inet", "netpol", "np_alive", "{ ipv4 }")
	if !before.say(true) {
		t.Error("no answer after the heartbeat has come back")
	}
}

func TestAuditOnlyCounts(t *testing.T) {
	lab := kerneltest.NewLab(t)
	b := enforce(t, lab, `
policy "would be closed" {
  criteria = "dst_port == 7006"
  label    = "closed"
  mark     = "0x1/0x1"
  dscp     = "cs1"
  verdict  = "drop"
  audit    = true
}
`)
	watchCodePoints(lab)
	at := netip.AddrPortFrom(lab.ServerAddr4, 7006)
	echo(t, lab.Server, at)
	if !newTalker(t, lab.Client, at).say(true) {
		t.Fatal("an audited drop stops packets")
	}
	c := entryTo(t, 7006)
	if c.Mark != 0 || seen(lab, "cs1") != "0" || !c.Has(bitOf(t, b, "np-audit-would-be-closed")) {
		t.Errorf("an audited policy has effects, or no label: %+v", c)
	}
	rules := lab.Router.Run("nft", "list", "chain", "inet", "netpol", "np_packet")
	if !strings.Contains(rules, "packets 2 ") {
		t.Errorf("the question and the answer are not counted:\n%s", rules)
	}
}

// TestPlanHoldsTheClockAgainstSchedules: somebody empties a set of times.
func TestPlanHoldsTheClockAgainstSchedules(t *testing.T) {
	lab := kerneltest.NewLab(t)
	b, r := enforceOn(t, lab, `
schedule "nights" {
  hours    = ["22:00-06:00"]
  timezone = "America/New_York"
}
policy "nights" {
  criteria = "dst_port == 7007"
  schedule = "nights"
  verdict  = "drop"
}
`)
	name := ""
	for _, s := range b.Ruleset.Sets {
		if s.Type == artifact.SetTime {
			name = s.Name
		}
	}
	listing := lab.Router.Run("nft", "list", "set", "inet", "netpol", name)
	if n := strings.Count(listing, "\"-\""); n < 360 {
		t.Errorf("the year ahead is not in the set:\n%s", listing)
	}
	lab.Router.Run("nft", "flush", "set", "inet", "netpol", name)
	if left := r.Diff(read(t, r), b); len(left) != 1 || left[0].Kind != kindSet {
		t.Errorf("changes after the set was emptied: got %v, want the set", left)
	}
}

func TestInterfaceThatAFlowLeavesBy(t *testing.T) {
	lab := kerneltest.NewLab(t)
	b := enforce(t, lab, `
policy "wan" {
  criteria = "dst_port == 7008 && interface_out == 'wan0'"
  label    = "wan"
  dscp     = "cs5"
}
policy "other" {
  criteria = "dst_port == 7008 && interface_out not in ['wan0', 'lan1', '']"
  label    = "other"
}
policy "inward" {
  criteria = "dst_port == 7009 && interface_out == ''"
  verdict  = "drop"
}
`)
	watchCodePoints(lab)
	at := netip.AddrPortFrom(lab.ServerAddr4, 7008)
	echo(t, lab.Server, at)
	if !newTalker(t, lab.Client, at).say(true) {
		t.Fatal("no answer")
	}
	if c := entryTo(t, 7008); !c.Has(bitOf(t, b, "wan")) || c.Has(bitOf(t, b, "other")) {
		t.Errorf("labels: %+v", c)
	}
	if got := seen(lab, "cs5"); got != "1" {
		t.Errorf("packets of cs5: got %s, want the first as well", got)
	}
	for server, passes := range map[netip.Addr]bool{lab.ServerAddr4: true, netip.MustParseAddr("192.168.77.1"): false} {
		ns := map[bool]*kerneltest.NS{true: lab.Server, false: lab.Router}[passes]
		to := netip.AddrPortFrom(server, 7009)
		echo(t, ns, to)
		if got := newTalker(t, lab.Client, to).say(passes); got != passes {
			t.Errorf("flow to %s passes: got %v, want %v", to, got, passes)
		}
	}
}

// TestClosedOnOverload: netpold answers and has not looked at a flow within the
// packets that it is shown, or has given it up: on_overload says what then.
func TestClosedOnOverload(t *testing.T) {
	lab := kerneltest.NewLab(t)
	enforce(t, lab, `
netpol {
  inspect_packets = 2
}
policy "closed" {
  criteria    = "dst_port == 7003 && domain(hostname, 'games.example')"
  verdict     = "drop"
  on_overload = "closed"
}
policy "open" {
  criteria    = "dst_port == 7004 && domain(hostname, 'games.example')"
  verdict     = "drop"
  on_fail     = "closed"
  on_overload = "open"
}
`)
	talk := map[uint16]talker{}
	for _, port := range []uint16{7003, 7004} {
		echo(t, lab.Server, netip.AddrPortFrom(lab.ServerAddr4, port))
		talk[port] = newTalker(t, lab.Client, netip.AddrPortFrom(lab.ServerAddr4, port))
		for range 4 { // 8 packets are shown
			if !talk[port].say(true) {
				t.Fatalf("port %d: no answer while netpold could still name the flow", port)
			}
		}
	}
	if talk[7003].say(false) {
		t.Error("a flow that nobody looked at passes, although on_overload is closed")
	}
	if !talk[7004].say(true) {
		t.Error("a flow that nobody looked at is stopped, although on_overload is open")
	}
	lab.Router.Run("nft", "flush", "set", "inet", "netpol", "np_alive")
	if !newTalker(t, lab.Client, netip.AddrPortFrom(lab.ServerAddr4, 7003)).say(true) {
		t.Error("a new flow is stopped without netpold, although on_fail is open")
	}
	if talk[7004].say(false) {
		t.Error("a flow passes without netpold, although on_fail is closed")
	}
}
