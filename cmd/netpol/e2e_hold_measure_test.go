package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"sort"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// measures says how large measurements are to be: many connections and long runs
// for docs/performance.md, few where only the sign matters.
func measures() bool { return os.Getenv("NETPOL_MEASURE") != "" }

// arrival is a payload packet that reached the server.
type arrival struct {
	port int // of the client
	at   time.Time
}

// arrivals collects datagrams that reach the server, in the order of their coming.
type arrivals struct {
	t    *testing.T
	conn *net.UDPConn
	list chan arrival
}

func newArrivals(t *testing.T, ns *kerneltest.NS, at netip.AddrPort) *arrivals {
	t.Helper()
	conn := stamped(t, ns, at)
	a := &arrivals{t: t, conn: conn, list: make(chan arrival, 1<<16)}
	go func() {
		buf, oob := make([]byte, 2000), make([]byte, 200)
		for {
			_, n, _, from, err := conn.ReadMsgUDPAddrPort(buf, oob)
			if err != nil {
				close(a.list)
				return
			}
			a.list <- arrival{int(from.Port()), stamp(oob[:n])}
		}
	}()
	return a
}

// sockopt is an option of a socket.
type sockopt struct{ level, name, value int }

// stamped listens for datagrams, with which comes when the kernel got them (stamp).
func stamped(t *testing.T, ns *kerneltest.NS, at netip.AddrPort, more ...sockopt) *net.UDPConn {
	t.Helper()
	var conn *net.UDPConn
	var err error
	ns.Do(func() { conn, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(at)) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		for _, o := range append(more, sockopt{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1}) {
			if err := unix.SetsockoptInt(int(fd), o.level, o.name, o.value); err != nil {
				t.Errorf("option %d of a socket: %v", o.name, err)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	return conn
}

// stamp is when the kernel got a packet (SO_TIMESTAMPNS): two numbers of eight
// bytes behind the header of the control message.
func stamp(oob []byte) time.Time {
	if len(oob) < unix.CmsgLen(16) {
		return time.Time{}
	}
	b := oob[unix.CmsgLen(0):]
	return time.Unix(int64(binary.NativeEndian.Uint64(b)), int64(binary.NativeEndian.Uint64(b[8:])))
}

// leaks are, by flow, how many packets passed and for how long after the first.
func (a *arrivals) leaks(flows int) (packets []int, spans []time.Duration) {
	a.conn.Close()
	first, count, last := map[int]time.Time{}, map[int]int{}, map[int]time.Time{}
	for x := range a.list {
		if count[x.port]++; count[x.port] == 1 {
			first[x.port] = x.at
		}
		last[x.port] = x.at
	}
	for port, n := range count {
		packets, spans = append(packets, n), append(spans, last[port].Sub(first[port]))
	}
	for len(packets) < flows {
		packets, spans = append(packets, 0), append(spans, 0)
	}
	slices.Sort(packets)
	slices.Sort(spans)
	return packets, spans
}

func at[T any](sorted []T, percent int) T { return sorted[(len(sorted)-1)*percent/100] }

// leak opens flows one after the other, each with packets every 50 microseconds of
// which the first gives the blocked name away, and returns what passed.
func leak(t *testing.T, hold bool, room, flows int) (packets []int, spans []time.Duration) {
	t.Helper()
	s, lab, _, _ := holdSite(t, waiting(room)+fmt.Sprintf(holdPolicy, hold, "open"))
	if hold {
		s.awake()
	}
	to := netip.AddrPortFrom(lab.ServerAddr4, 5300)
	a := newArrivals(t, lab.Server, to)
	q := question("www.blocked.example")
	for range flows {
		var c net.Conn
		var err error
		lab.Client.Do(func() { c, err = net.Dial("udp", to.String()) })
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			_, _ = c.Write(q)
			for began := time.Now(); time.Since(began) < 50*time.Microsecond; {
			}
		}
		c.Close()
	}
	time.Sleep(50 * time.Millisecond)
	return a.leaks(flows)
}

// What passes before the verdict: some packets without hold, none with it.
func TestLeakBeforeTheVerdict(t *testing.T) {
	flows := 20
	if measures() {
		flows = 500
	}
	packets, spans := leak(t, false, 8, flows)
	t.Logf("copied: of %d flows passed p50 %d, p99 %d, most %d packets, for p50 %v, p99 %v", flows, at(packets, 50), at(packets, 99), at(packets, 100), at(spans, 50), at(spans, 99))
	if at(packets, 50) == 0 {
		t.Error("nothing passed without hold: the measurement is wrong")
	}
	const most = 1024 // more than a flow has packets: none passes because the queue is full
	for _, room := range []int{8, 32, 128, most} {
		if room != most && !measures() {
			continue
		}
		packets, _ = leak(t, true, room, flows)
		leaked := flows - sort.SearchInts(packets, 1)
		t.Logf("held, up to %d: of %d flows %d passed any packets, most %d", room, flows, leaked, at(packets, 100))
		if room == most && leaked > 0 {
			t.Errorf("with hold packets of %d flows passed, want none: %v", leaked, packets)
		}
	}
}

// What waiting costs the first packets of flows: a question and its answer.
func TestHoldLatency(t *testing.T) {
	if !measures() {
		t.Skip("NETPOL_MEASURE is not set")
	}
	for _, hold := range []bool{false, true} {
		s, lab, _, _ := holdSite(t, fmt.Sprintf(holdPolicy, hold, "open"))
		if hold {
			s.awake()
		}
		var took []time.Duration
		for range 500 {
			began := time.Now()
			if query(t, lab.Client, lab.ServerAddr4, "www.other.example", patience) {
				took = append(took, time.Since(began))
			}
		}
		slices.Sort(took)
		t.Logf("hold = %v: a new flow's question is answered after p50 %v, p99 %v (%d of 500)", hold, at(took, 50), at(took, 99), len(took))
	}
}

// iperf is the throughput of a TCP stream through the router, in Gbit/s.
func iperf(t *testing.T, lab *kerneltest.Lab, seconds int) float64 {
	t.Helper()
	server := exec.Command("iperf3", "-s", "-1", "-B", lab.ServerAddr4.String())
	var err error
	lab.Server.Do(func() { err = server.Start() })
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	out := lab.Client.Run("iperf3", "-c", lab.ServerAddr4.String(), "-t", fmt.Sprint(seconds), "-J")
	_ = server.Wait()
	var result struct {
		End struct {
			SumReceived struct {
				BitsPerSecond float64 `json:"bits_per_second"`
			} `json:"sum_received"`
		} `json:"end"`
	}
	if err := json.Unmarshal([]byte(out), &result); err != nil {
		t.Fatal(err)
	}
	return result.End.SumReceived.BitsPerSecond / 1e9
}

// Throughput of bulk traffic while its connections are held at their beginning,
// beside a router that only tracks them. It takes minutes, and a quiet machine.
func TestHoldThroughput(t *testing.T) {
	if !measures() {
		t.Skip("NETPOL_MEASURE is not set")
	}
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.installEnforcer()
	s.write("policies/zoom.netpol.hcl", fmt.Sprintf(holdPolicy, true, "open"))
	track := `add table inet track; add chain inet track c { type filter hook forward priority 0; }; add rule inet track c ct state invalid counter`
	s.ns.Sysctl("net/netfilter/nf_conntrack_acct", "1")
	s.ns.Run("nft", track)
	var e *enforcer
	var tracked, held []float64
	for range 7 {
		tracked = append(tracked, iperf(t, lab, 3))
		s.netpol(0, "apply", "--auto-approve", s.policies)
		if e == nil {
			e = s.startEnforcer()
		}
		s.awake()
		held = append(held, iperf(t, lab, 3))
		s.netpol(0, "destroy", "--auto-approve")
	}
	slices.Sort(tracked)
	slices.Sort(held)
	ratio := at(held, 50) / at(tracked, 50)
	t.Logf("conntrack alone %.2f, hold %.2f Gbit/s: ratio %.3f", at(tracked, 50), at(held, 50), ratio)
	if ratio < 0.88 {
		t.Errorf("ratio %.3f, want at least 0.88", ratio)
	}
}
