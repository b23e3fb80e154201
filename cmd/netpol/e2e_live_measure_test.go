package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// livePolicy labels look-ups of a name and gives them a code point: what they
// are, their first packet says.
const livePolicy = `policy "calls" {
  criteria = "domain(dns_hostname, 'zoom.us')"
  label    = "calls"
  dscp     = "cs5"
}
`

// liveSite is a router that gates, labels and marks, and a server that swallows
// what the generator sends.
func liveSite(t *testing.T, settings string, flags ...string) (*site, *kerneltest.Lab, *enforcer) {
	t.Helper()
	if !measures() {
		t.Skip("NETPOL_MEASURE is not set")
	}
	lab := kerneltest.NewLab(t)
	lab.Server.Run("nft", "add table ip swallow; add chain ip swallow in { type filter hook input priority 0; }; add rule ip swallow in udp dport 53 drop")
	lab.Router.Sysctl("net/netfilter/nf_conntrack_acct", "1")
	s := newSite(t, lab.Router)
	s.installEnforcer()
	s.write("policies/zoom.netpol.hcl", settings+livePolicy)
	s.netpol(0, "apply", "--auto-approve", s.policies)
	return s, lab, s.startEnforcer(append([]string{"--max-flows", "400000", "--log-level", "warn"}, flags...)...)
}

// counters are netpold's.
func (s *site) counters() map[string]uint64 {
	s.t.Helper()
	var out struct {
		Enforcer struct {
			Status struct {
				Counters map[string]uint64 `json:"counters"`
			} `json:"status"`
		} `json:"enforcer"`
	}
	if err := json.Unmarshal([]byte(s.netpol(0, "show", "--json")), &out); err != nil {
		s.t.Fatal(err)
	}
	return out.Enforcer.Status.Counters
}

// labelled counts the connections to a port that carry a label, and all.
func (s *site) labelled(bit int, proto uint8, port uint16) (with, all int) {
	s.t.Helper()
	var err error
	s.ns.Do(func() {
		var client *ct.Client
		if client, err = ct.Open(); err != nil {
			return
		}
		defer client.Close()
		err = client.Connections(0, 0, func(c *flow.Connection) error {
			if c.Orig.Proto != proto || c.Orig.DstPort != port {
				return nil
			}
			all++
			if c.Labels[bit/8]&(1<<(bit%8)) != 0 {
				with++
			}
			return nil
		})
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return with, all
}

// onProcessor runs f on a thread of its own that stays on one processor.
func onProcessor(n int, f func()) {
	var done sync.WaitGroup
	done.Go(func() {
		runtime.LockOSThread() // and the thread ends with the goroutine
		var set unix.CPUSet
		set.Set(n)
		_ = unix.SchedSetaffinity(0, &set)
		f()
	})
	done.Wait()
}

// TestLiveThroughput: one TCP stream through the router in packets of 1500 bytes,
// beside another router that only tracks connections; they take turns. Sender,
// routers and receiver are threads of iperf3 on this machine, whose processor time a
// byte tells what the router costs even where others compute as well.
func TestLiveThroughput(t *testing.T) {
	_, lab, netpold := liveSite(t, "")
	alone := kerneltest.NewLab(t)
	alone.Router.Sysctl("net/netfilter/nf_conntrack_acct", "1")
	for _, l := range []*kerneltest.Lab{lab, alone} {
		l.Router.Run("nft", `table inet track { chain c { type filter hook forward priority 0; ct state invalid counter; }; }`)
		for _, end := range []struct {
			ns  *kerneltest.NS
			dev string
		}{{l.Client, "eth0"}, {l.Router, kerneltest.ClientDevice}, {l.Router, kerneltest.ServerDevice}, {l.Server, "eth0"}} {
			end.ns.Run("ethtool", "-K", end.dev, "tso", "off", "gso", "off", "gro", "off")
		}
	}
	// The same table as liveSite's newSite adds.
	alone.Router.Run("nft", "table inet other { chain c { type filter hook forward priority 0; counter accept; }; }")
	const rounds = 21
	var of [2]struct{ rates, costs []float64 }
	var rates, costs []float64 // ratios of the rounds
	for range rounds {
		for i, l := range []*kerneltest.Lab{alone, lab} {
			rate, cost := stream(t, l)
			of[i].rates, of[i].costs = append(of[i].rates, rate), append(of[i].costs, cost)
		}
		rates = append(rates, last(of[1].rates)/last(of[0].rates))
		costs = append(costs, last(of[0].costs)/last(of[1].costs))
	}
	for _, list := range [][]float64{of[0].rates, of[1].rates, of[0].costs, of[1].costs, rates, costs} {
		slices.Sort(list)
	}
	t.Logf("conntrack alone %.2f, netpold %.2f Gbit/s: ratio of medians %.3f, of the pairs %.3f; processor time of a packet %.0f and %.0f ns: ratio of medians %.3f, of the pairs %.3f; netpold used %v",
		at(of[0].rates, 50), at(of[1].rates, 50), at(of[1].rates, 50)/at(of[0].rates, 50), at(rates, 50),
		at(of[0].costs, 50), at(of[1].costs, 50), at(of[0].costs, 50)/at(of[1].costs, 50), at(costs, 50), usageOf(t, netpold.cmd.Process.Pid).cpu)
	if ratio := max(at(rates, 50), at(costs, 50)); ratio < 0.97 {
		t.Errorf("ratio %.3f, want at least 0.97", ratio)
	}
}

func last(list []float64) float64 { return list[len(list)-1] }

// stream is what one stream of iperf3 comes to in Gbit/s, and the processor time that
// its two ends, and who forwards on their threads, take for a packet of 1448 bytes.
func stream(t *testing.T, lab *kerneltest.Lab) (rate, ns float64) {
	t.Helper()
	const size = 250 << 20
	server := exec.Command("iperf3", "-s", "-1", "-B", lab.ServerAddr4.String())
	client := exec.Command("iperf3", "-c", lab.ServerAddr4.String(), "-n", fmt.Sprint(size), "-J")
	var out bytes.Buffer
	client.Stdout = &out
	var err error
	lab.Server.Do(func() { err = server.Start() })
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	lab.Client.Do(func() { err = client.Run() })
	if err := errors.Join(err, server.Wait()); err != nil {
		t.Fatalf("%v: %s", err, out.Bytes())
	}
	var result struct {
		End struct {
			SumReceived struct {
				BitsPerSecond float64 `json:"bits_per_second"`
			} `json:"sum_received"`
		} `json:"end"`
	}
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		t.Fatal(err)
	}
	var cpu time.Duration
	for _, p := range []*os.ProcessState{server.ProcessState, client.ProcessState} {
		cpu += p.UserTime() + p.SystemTime()
	}
	return result.End.SumReceived.BitsPerSecond / 1e9, float64(cpu.Nanoseconds()) / (size / 1448)
}

// TestLiveNewFlows: connections of one packet each, which is all that netpold
// gets to name them by.
func TestLiveNewFlows(t *testing.T) {
	for _, groups := range []int{1, 2} {
		t.Run(fmt.Sprintf("groups=%d", groups), func(t *testing.T) {
			s, lab, netpold := liveSite(t, fmt.Sprintf("netpol {\n  log_groups = %d\n}\n", groups), "--workers", fmt.Sprint(groups))
			g := newGenerator(t, lab, 53, question("us04web.zoom.us"))
			g.learnTheWay()
			const flows = 200_000
			before := usageOf(t, netpold.cmd.Process.Pid)
			var took time.Duration
			onProcessor(0, func() {
				began := time.Now()
				for n := range flows {
					g.connection(1 + n)
					g.send()
				}
				took = time.Since(began)
			})
			// Who asks once wakes up once: wait until inspection is over (10 s).
			time.Sleep(12 * time.Second)
			after := usageOf(t, netpold.cmd.Process.Pid)
			counters := s.counters()
			with, all := s.labelled(s.bit("calls"), unix.IPPROTO_UDP, 53)
			cpu := (after.cpu - before.cpu) / flows
			t.Logf("%.0f new flows/s: %d of %d labelled, %d copies lost, %.1f µs of netpold a flow, %d MB resident", flows/took.Seconds(), with, all, counters["capture_lost"], float64(cpu.Nanoseconds())/1e3, after.resident/1024)
			netpold.stop()
			if with != all || counters["capture_lost"] > 0 || cpu > 10*time.Microsecond {
				t.Errorf("%d of %d labelled, %d copies lost, %v a flow; want all, none and at most 10µs", with, all, counters["capture_lost"], cpu)
			}
		})
	}
}

// TestLiveLatency: from a connection's first packet to the first that carries the
// code point, both as the server sees them; packets are sent 20 µs apart. Netpold is
// scheduled as others are, and first.
func TestLiveLatency(t *testing.T) {
	for _, realtime := range []bool{false, true} {
		t.Run(fmt.Sprintf("realtime=%v", realtime), func(t *testing.T) { measureLatency(t, realtime) })
	}
}

func measureLatency(t *testing.T, realtime bool) {
	s, lab, _ := liveSite(t, "", fmt.Sprintf("--realtime=%v", realtime))
	lab.Server.Run("nft", "flush", "ruleset")
	seen := newMarked(t, lab.Server, netip.AddrPortFrom(lab.ServerAddr4, 53))
	g := newGenerator(t, lab, 53, question("us04web.zoom.us"))
	g.learnTheWay()
	seen.spans()
	measure := func(what string, flows, packets, at1, burst int, every time.Duration, p50, p99 time.Duration) {
		onProcessor(0, func() {
			asTheWire(t)
			next := time.Now()
			for n := 0; n < flows; n += burst {
				sleep(next)
				next = next.Add(every)
				round := time.Now()
				for range packets {
					for i := range burst {
						g.connection(at1 + n + i)
						g.send()
					}
					round = round.Add(20 * time.Microsecond)
					sleep(round)
				}
			}
		})
		time.Sleep(100 * time.Millisecond)
		spans := seen.spans()
		seen := len(spans)
		for len(spans) < flows { // it came after the last packet, or not at all
			spans = append(spans, time.Second)
		}
		t.Logf("%s: first packet with the code point after p50 %v, p90 %v, p99 %v (%d of %d flows)", what, at(spans, 50), at(spans, 90), at(spans, 99), seen, flows)
		if realtime && (at(spans, 50) > p50 || at(spans, 99) > p99) {
			t.Errorf("%s: p50 %v, p99 %v; want at most %v and %v", what, at(spans, 50), at(spans, 99), p50, p99)
		}
	}
	s.counters()
	measure("200 flows a second", 2000, 120, 1, 1, 5*time.Millisecond, 120*time.Microsecond, 400*time.Microsecond)
	measure("bursts of 64 flows", 6400, 60, 3000, 64, 100*time.Millisecond, 2*time.Millisecond, 2*time.Millisecond)
}

// marked watches datagrams for a code point.
type marked struct {
	mu    sync.Mutex
	first map[netip.AddrPort]time.Time
	after map[netip.AddrPort]time.Duration
}

func newMarked(t *testing.T, ns *kerneltest.NS, at netip.AddrPort) *marked {
	t.Helper()
	m := &marked{first: map[netip.AddrPort]time.Time{}, after: map[netip.AddrPort]time.Duration{}}
	conn := stamped(t, ns, at, sockopt{unix.SOL_IP, unix.IP_RECVTOS, 1}, sockopt{unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64 << 20})
	go m.watch(conn)
	return m
}

func (m *marked) watch(conn *net.UDPConn) {
	buf, oob := make([]byte, 2000), make([]byte, 200)
	for {
		_, n, _, from, err := conn.ReadMsgUDPAddrPort(buf, oob)
		if err != nil {
			return
		}
		messages, _ := unix.ParseSocketControlMessage(oob[:n])
		var when time.Time
		tos := byte(0)
		for _, c := range messages {
			switch {
			case c.Header.Level == unix.SOL_SOCKET:
				when = stamp(oob)
			case c.Header.Level == unix.SOL_IP && c.Header.Type == unix.IP_TOS:
				tos = c.Data[0]
			}
		}
		m.mu.Lock()
		if _, ok := m.first[from]; !ok {
			m.first[from] = when
		}
		if _, ok := m.after[from]; !ok && tos != 0 {
			m.after[from] = when.Sub(m.first[from])
		}
		m.mu.Unlock()
	}
}

// spans are the times it took, sorted, and are forgotten.
func (m *marked) spans() (spans []time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range m.after {
		spans = append(spans, d)
	}
	clear(m.after)
	clear(m.first)
	slices.Sort(spans)
	return spans
}

// TestLiveIdle: netpold without traffic wakes up once a second, for all that is looked
// at now and then, and more often only where a policy holds packets.
func TestLiveIdle(t *testing.T) {
	for _, tt := range []struct {
		name, policies string
		switches       float64 // at most, a second
		flags          []string
	}{
		{"names", "", 20, nil},
		{"names first", "", 150, []string{"--realtime"}},
		{"tells", fmt.Sprintf(`sink "ends" {
  type    = "file"
  path    = %q
  records = ["flow_end", "flow_stats", "agent_status"]
}
`, filepath.Join(t.TempDir(), "records.jsonl")), 20, nil},
		{"holds", `policy "held" {
  criteria = "app == 'zoom' && dst_port == 443"
  verdict  = "drop"
  hold     = true
}
`, 100, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, netpold := liveSite(t, tt.policies, append(tt.flags, "--max-flows", "65536")...)
			time.Sleep(3 * time.Second)
			pid := netpold.cmd.Process.Pid
			before := usageOf(t, pid)
			const span = 30 * time.Second
			time.Sleep(span)
			after := usageOf(t, pid)
			switches := float64(after.switches-before.switches) / span.Seconds()
			t.Logf("%d MB resident, %.1f context switches a second, %v of CPU in %v", after.resident/1024, switches, after.cpu-before.cpu, span)
			if after.resident > 25<<10 || switches > tt.switches {
				t.Errorf("%d kB resident, %.1f context switches a second; want less than 25 MB, and %.0f", after.resident, switches, tt.switches)
			}
		})
	}
}

// TestLiveSpray: a million connections of one datagram each, beside a stream whose
// connection keeps what policies say of it.
func TestLiveSpray(t *testing.T) {
	s, lab, netpold := liveSite(t, `policy "stream" {
  criteria = "dst_port == 5201"
  label    = "stream"
}
`, "--max-flows", "65536")
	g := newGenerator(t, lab, 53, []byte("spray"))
	stream := make(chan float64)
	go func() { stream <- iperf(t, lab, 30) }()
	time.Sleep(time.Second)
	most := 0
	onProcessor(0, func() {
		for n := range 1_000_000 {
			g.connection(n)
			g.send()
			if n%20000 == 0 {
				most = max(most, usageOf(t, netpold.cmd.Process.Pid).resident)
			}
		}
	})
	most = max(most, usageOf(t, netpold.cmd.Process.Pid).resident)
	kept, _ := s.labelled(s.bit("stream"), unix.IPPROTO_TCP, 5201)
	gbit := <-stream
	counters := s.counters()
	t.Logf("%d MB resident at most; %d of iperf3's connections labelled, %.2f Gbit/s; %d flows evicted, %d copies lost", most/1024, kept, gbit, counters["flows_evicted"], counters["capture_lost"])
	if most > 96<<10 || kept < 2 {
		t.Errorf("%d kB resident, %d of iperf3's 2 connections labelled; want less than 96 MiB, and both", most, kept)
	}
}

// TestLiveReloads: a thousand reloads while connections come. Each is labelled, no
// copy is lost, and memory stays.
func TestLiveReloads(t *testing.T) {
	s, lab, netpold := liveSite(t, "")
	g := newGenerator(t, lab, 53, question("us04web.zoom.us"))
	g.learnTheWay()
	const reloads, each, looks = 1000, 20, 50
	pid, half := netpold.cmd.Process.Pid, 0
	// Signals that come while one is being followed are one: so they go on until as many were.
	for n, done := 0, uint64(0); done < reloads; n++ {
		if err := netpold.cmd.Process.Signal(unix.SIGHUP); err != nil {
			t.Fatal(err)
		}
		for i := range each {
			g.connection(1 + n*each + i)
			g.send()
			until(time.Now().Add(500 * time.Microsecond))
		}
		if n%looks == 0 {
			done = s.counters()["reloads"]
			if half == 0 && done >= reloads/2 {
				half = usageOf(t, pid).resident
			}
		}
	}
	time.Sleep(2 * time.Second)
	with, all := s.labelled(s.bit("calls"), unix.IPPROTO_UDP, 53)
	counters, after := s.counters(), usageOf(t, pid).resident
	t.Logf("%d reloads: %d of %d connections labelled, %d copies lost, %d MB resident after half of them, %d MB after all", counters["reloads"], with, all, counters["capture_lost"], half/1024, after/1024)
	if with != all || counters["capture_lost"] > 0 || after > half+half/4 {
		t.Errorf("%d of %d labelled, %d copies lost, %d kB and then %d kB resident", with, all, counters["capture_lost"], half, after)
	}
}
