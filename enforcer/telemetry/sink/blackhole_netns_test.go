//go:build sink_nats

package sink

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// holeSite is a router that runs netpold, with a sink to a nats-server on the other
// side, and connections through it.
type holeSite struct {
	*kerneltest.Lab
	t       *testing.T
	dir     string
	netpold *exec.Cmd
	log     syncBuffer
	server  *exec.Cmd

	probes, lost atomic.Int64
	flows        atomic.Int64
	mu           sync.Mutex // guards what follows
	times        []time.Duration
}

const holePolicy = `sink "uplink" {
  type       = "nats"
  url        = "nats://198.51.100.2"
  stream     = "NETPOL"
  records    = ["flow", "flow_end"]
  spool      = "%s/spool"
  spool_size = "4GB"
}

policy "calls" {
  criteria = "domain(dns_hostname, 'zoom.us')"
  label    = "calls"
}
`

func newHoleSite(t *testing.T) *holeSite {
	t.Helper()
	h := &holeSite{Lab: kerneltest.NewLab(t), t: t, dir: t.TempDir()}
	h.Router.Sysctl("net/netfilter/nf_conntrack_acct", "1")
	h.Router.Sysctl("net/netfilter/nf_conntrack_udp_timeout", "5") // so that connections end
	h.Server.Run("nft", "add table ip swallow; add chain ip swallow in { type filter hook input priority 0; }; add rule ip swallow in udp dport 53 drop")
	h.write("policies/p.netpol.hcl", fmt.Sprintf(holePolicy, h.dir))
	h.write("etc/connlabel.conf", "")
	h.write("nats/conf", fmt.Sprintf("listen: 198.51.100.2:4222\njetstream { store_dir: %q }\n", h.dir+"/nats"))
	for _, build := range [][]string{{"-o", h.dir + "/netpol", "../../../cmd/netpol"}, {"-tags", "sink_nats", "-o", h.dir + "/netpold", "../../../cmd/netpold"}} {
		if out, err := exec.Command("go", append([]string{"build"}, build...)...).CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
	}
	h.server = exec.Command(os.Args[0], "-test.run=^TestNATSServer$", "-test.timeout=2h")
	h.server.Env = append(os.Environ(), natsConfigIn+"="+h.dir+"/nats/conf")
	h.run(h.Server, h.server)
	h.inStream(func(js jetstream.JetStream) {
		if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "NETPOL", Subjects: []string{"netpol.>"}, Duplicates: time.Hour}); err != nil {
			t.Error(err)
		}
	})
	h.ask("apply", "--no-confirm", "--auto-approve", "--etc-dir", h.dir+"/etc", h.dir+"/policies")
	h.netpold = exec.Command(h.dir+"/netpold", "--state-dir", h.dir+"/state", "--run-dir", h.dir+"/run", "--etc-dir", h.dir+"/etc")
	h.netpold.Stderr = &h.log
	h.run(h.Router, h.netpold)
	eventually(t, "netpold", func() bool { return h.sink().Place != "" })
	return h
}

func (h *holeSite) write(name, text string) {
	h.t.Helper()
	name = filepath.Join(h.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

// run starts a program on a machine, until the test ends.
func (h *holeSite) run(on *kerneltest.NS, cmd *exec.Cmd) {
	h.t.Helper()
	var err error
	on.Do(func() { err = cmd.Start() })
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { kill(cmd) })
}

func (h *holeSite) ask(verb string, args ...string) string {
	h.t.Helper()
	return h.Router.Run(h.dir+"/netpol", append([]string{verb, "--state-dir", h.dir + "/state", "--run-dir", h.dir + "/run"}, args...)...)
}

// holeSink is what netpol show has of the sink.
type holeSink struct {
	Place   string
	Records uint64
	Spooled uint64 `json:"spool_records"`
	Bytes   int64  `json:"spool_bytes"`
	Dropped map[string]uint64
	Fault   string
}

func (h *holeSite) sink() holeSink {
	var out struct {
		Enforcer struct{ Status struct{ Sinks []holeSink } }
	}
	if err := json.Unmarshal([]byte(h.ask("show", "--json", "--etc-dir", h.dir+"/etc")), &out); err != nil {
		h.t.Fatal(err)
	}
	if len(out.Enforcer.Status.Sinks) == 0 {
		return holeSink{}
	}
	return out.Enforcer.Status.Sinks[0]
}

// inStream asks the server, on its own machine.
func (h *holeSite) inStream(f func(jetstream.JetStream)) {
	h.t.Helper()
	var conn *nats.Conn
	eventually(h.t, "nats-server", func() bool {
		var err error
		h.Server.Do(func() { conn, err = nats.Connect("nats://198.51.100.2:4222", nats.NoReconnect()) })
		return err == nil
	})
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		h.t.Fatal(err)
	}
	f(js)
}

// stored is how many records the stream has.
func (h *holeSite) stored() (n uint64) {
	h.inStream(func(js jetstream.JetStream) {
		if s, err := js.Stream(h.t.Context(), "NETPOL"); err == nil {
			n = s.CachedInfo().State.Msgs
		}
	})
	return n
}

// answer has the server send back datagrams on port 7, and swallow streams on 9.
func (h *holeSite) answer() {
	var echo net.PacketConn
	var discard net.Listener
	var err, err2 error
	h.Server.Do(func() {
		echo, err = net.ListenPacket("udp", "198.51.100.2:7")
		discard, err2 = net.Listen("tcp", "198.51.100.2:9")
	})
	if err != nil || err2 != nil {
		h.t.Fatal(err, err2)
	}
	h.t.Cleanup(func() { echo.Close(); discard.Close() })
	go func() {
		buf := make([]byte, 2000)
		for {
			n, from, err := echo.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = echo.WriteTo(buf[:n], from)
		}
	}()
	go func() {
		for {
			conn, err := discard.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, conn); conn.Close() }()
		}
	}()
}

// lookup asks for the address of www.example.net (RFC 1035, 4.1): a packet that names
// its connection.
var lookup = []byte("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03net\x00\x00\x01\x00\x01")

// load opens connections that nobody answers, so many a second, until stop.
func (h *holeSite) load(rate int, stop <-chan struct{}) {
	h.Client.Do(func() {
		clock := time.NewTicker(time.Second / time.Duration(rate))
		defer clock.Stop()
		for {
			select {
			case <-stop:
				return
			case <-clock.C:
			}
			if conn, err := net.Dial("udp", "198.51.100.2:53"); err == nil {
				_, _ = conn.Write(lookup)
				conn.Close()
				h.flows.Add(1)
			}
		}
	})
}

// probe sends a datagram every 10 ms through the router, and counts those that do
// not come back within a second.
func (h *holeSite) probe(stop <-chan struct{}) {
	var conn net.Conn
	var err error
	h.Client.Do(func() { conn, err = net.Dial("udp", "198.51.100.2:7") })
	if err != nil {
		h.t.Error(err)
		return
	}
	defer conn.Close()
	buf := make([]byte, 64)
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		case <-time.After(10 * time.Millisecond):
		}
		begun := time.Now()
		want := fmt.Sprint("probe", i)
		_, _ = conn.Write([]byte(want))
		_ = conn.SetReadDeadline(begun.Add(time.Second))
		h.probes.Add(1)
		for got := ""; got != want; { // one that came too late is before it
			n, err := conn.Read(buf)
			if err != nil {
				h.lost.Add(1)
				break
			}
			got = string(buf[:n])
		}
		h.mu.Lock()
		h.times = append(h.times, time.Since(begun))
		h.mu.Unlock()
	}
}

// roundTrip is the median and the 99th percentile since the last call.
func (h *holeSite) roundTrip() (median, most time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := h.times
	h.times = nil
	if len(list) == 0 {
		return 0, 0
	}
	slices.Sort(list)
	return list[len(list)/2], list[len(list)*99/100]
}

// throughput sends a stream through the router for a second, in Mbit/s.
func (h *holeSite) throughput() float64 {
	var conn net.Conn
	var err error
	h.Client.Do(func() { conn, err = net.Dial("tcp", "198.51.100.2:9") })
	if err != nil {
		h.t.Error(err)
		return 0
	}
	defer conn.Close()
	buf, sum, begun := make([]byte, 64<<10), 0, time.Now()
	for time.Since(begun) < time.Second {
		n, err := conn.Write(buf)
		if sum += n; err != nil {
			h.t.Error(err)
			return 0
		}
	}
	return float64(sum) * 8 / 1e6 / time.Since(begun).Seconds()
}

// memory is what netpold has resident, in MiB.
func (h *holeSite) memory() int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.netpold.Process.Pid))
	if err != nil {
		h.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib := 0
	_, _ = fmt.Sscan(rest, &kib)
	return kib >> 10
}

// holeTime is how long the server is out of reach: NETPOL_BLACKHOLE, a minute where
// it is measured, and seconds otherwise.
func holeTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("NETPOL_BLACKHOLE")
	if text == "" && os.Getenv("NETPOL_MEASURE") != "" {
		text = "1m"
	}
	if text == "" {
		return 5 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestBlackhole drops every packet to and from the server while connections go on:
// they are forwarded as before, netpold stays small, and once the server is there
// again every record that was taken in is in the stream.
func TestBlackhole(t *testing.T) {
	kerneltest.Need(t, "nft")
	hole := holeTime(t)
	h := newHoleSite(t)
	h.answer()
	stop := make(chan struct{})
	var all sync.WaitGroup
	end := sync.OnceFunc(func() { close(stop); all.Wait() })
	defer end()
	all.Go(func() { h.load(200, stop) })
	all.Go(func() { h.probe(stop) })

	time.Sleep(min(hole/4, 15*time.Second))
	defer func() {
		if t.Failed() {
			t.Logf("%+v\n%s", h.sink(), h.log.String())
		}
	}()
	eventually(t, "records", func() bool { return h.stored() > 100 })
	before := []float64{h.throughput(), h.throughput(), h.throughput()}
	memoryBefore := h.memory()
	medianBefore, mostBefore := h.roundTrip()

	h.Router.Run("nft", "add table inet hole; add chain inet hole out { type filter hook output priority 0; }; add chain inet hole in { type filter hook input priority 0; }; "+
		"add rule inet hole out tcp dport 4222 drop; add rule inet hole in tcp sport 4222 drop")
	began := time.Now()
	var during []float64
	memory := 0
	for time.Since(began) < hole {
		time.Sleep(min(hole/5, 10*time.Second))
		during = append(during, h.throughput())
		memory = max(memory, h.memory())
	}
	inHole := h.sink()
	medianIn, mostIn := h.roundTrip()
	h.Router.Run("nft", "delete", "table", "inet", "hole")
	over := time.Now()
	for h.sink().Spooled > 0 || h.sink().Fault != "" {
		if time.Sleep(200 * time.Millisecond); time.Since(over) > time.Minute+hole {
			t.Fatalf("it does not recover: %+v", h.sink())
		}
		memory = max(memory, h.memory())
	}
	recovered := time.Since(over)
	end()
	var last holeSink
	var stored uint64
	eventually(t, "all records", func() bool { last, stored = h.sink(), h.stored(); return stored >= last.Records && last.Spooled == 0 })

	t.Logf("out of reach for %v: %d connections; %d records waited on disk in %d bytes; caught up %v after it was over", hole, h.flows.Load(), inHole.Spooled, inHole.Bytes, recovered.Round(100*time.Millisecond))
	t.Logf("%d records taken in, %d stored, dropped %v", last.Records, stored, last.Dropped)
	t.Logf("memory %d MiB before, %d MiB at most", memoryBefore, memory)
	t.Logf("round trip median %v, p99 %v before; %v, %v during; %d of %d probes lost", medianBefore, mostBefore, medianIn, mostIn, h.lost.Load(), h.probes.Load())
	t.Logf("Mbit/s before %.0f, during %.0f", before, during)
	if stored != last.Records || len(last.Dropped) > 0 {
		t.Errorf("%d records are stored of %d, dropped %v", stored, last.Records, last.Dropped)
	}
	if h.lost.Load() > 0 {
		t.Errorf("%d of %d probes through the router are lost", h.lost.Load(), h.probes.Load())
	}
	if memory > memoryBefore+32 {
		t.Errorf("netpold has %d MiB, and had %d", memory, memoryBefore)
	}
	if inHole.Spooled == 0 {
		t.Error("nothing waited on disk")
	}
}
