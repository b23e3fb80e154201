package sink

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry/ipfix"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

func ipfixSink(transport, address string) artifact.Sink {
	return artifact.Sink{
		Name: "x", Kind: artifact.SinkIPFIX, Transport: transport, Address: address, Queue: 8 << 20, Records: []string{"flow_end", "flow_stats"},
		Enterprise: ipfix.DocumentationPEN, MessageSize: ipfix.DefaultMessage, TemplateInterval: time.Minute, TemplateMessages: 20, Domain: 7,
	}
}

// connection is the i-th of a test: every third of IPv6, every fifth opened from
// outside, every seventh translated.
func connection(i int) *record.FlowEnd {
	r := &record.FlowEnd{FlowHead: record.FlowHead{Interface: "lo"}, Reason: record.ReasonClosed}
	r.Type = record.KindFlowEnd
	d := &r.Flow.Detail
	d.Digest = record.Digest{0: byte(i >> 16), 1: byte(i >> 8), 2: byte(i), 7: 1}
	d.FirstSeenAt, d.LastSeenAt = 1795351400000+int64(i), 1795351500000+int64(i)
	d.IPVersion, d.IPProtocol, d.LocalOrigin, d.VLANID, d.IPDSCP = 4, 6, i%5 != 0, 42, 46
	d.LocalIP, d.OtherIP = netip.AddrFrom4([4]byte{192, 168, byte(i >> 8), byte(i)}), netip.MustParseAddr("198.51.100.7")
	if i%3 == 0 {
		d.IPVersion, d.LocalIP, d.OtherIP = 6, netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:1::2")
	}
	if i%7 == 0 && i%3 != 0 {
		d.IPNAT, d.Conntrack.ReplySrcIP, d.Conntrack.ReplyDstIP = true, d.OtherIP, netip.MustParseAddr("203.0.113.1")
	}
	d.LocalMAC, d.OtherMAC, d.LocalPort, d.OtherPort = "02:00:00:00:00:0a", "02:00:00:00:00:0b", 10000+i, 443
	d.ApplicationName, d.ProtocolName, d.Category.Application, d.HostName = "zoom", "tls", "video-conference", "us04web.zoom.us"
	if i%2 == 0 {
		d.ApplicationName, d.Category.Application, d.HostName = "spotify", "streaming-media", "ap.spotify.com"
	}
	d.SSL.ClientSNI, d.SSL.Version, d.Labels, d.Conntrack.Mark = d.HostName, 0x0304, []string{"gold", "zoom"}, 0x10000
	n := uint64(i)
	r.Flow.Counters = record.Counters{LocalBytes: 1000 + n, LocalPackets: 10 + n%7, OtherBytes: 50000 + 3*n, OtherPackets: 40 + n%11}
	return r
}

// totals are the sums of what connections sent.
type totals struct{ flows, bytes, packets uint64 }

func (t *totals) count(c *record.Counters) {
	t.flows++
	t.bytes += c.LocalBytes + c.OtherBytes
	t.packets += c.LocalPackets + c.OtherPackets
}

// unusedPort is a port of UDP that nobody has.
func unusedPort(t *testing.T) int {
	t.Helper()
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.LocalAddr().(*net.UDPAddr).Port
}

// nfcapd is a collector that runs until the test asks for what it has.
func nfcapd(t *testing.T, port int) (dir string, stop func()) {
	t.Helper()
	dir = t.TempDir()
	cmd := exec.Command("nfcapd", "-l", dir, "-p", strconv.Itoa(port), "-b", "127.0.0.1", "-S", "0", "-t", "3600", "-B", "4194304")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			_ = cmd.Process.Signal(os.Interrupt)
			_ = cmd.Wait()
		}
	}
	t.Cleanup(stop)
	eventually(t, "nfcapd listens", func() bool {
		l, err := net.ListenPacket("udp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			l.Close()
		}
		return err != nil
	})
	return dir, stop
}

// sendAll sends a thousand connections, of which half are told of in between.
func sendAll(t *testing.T, sink artifact.Sink) (want totals) {
	t.Helper()
	s := New(Config{})
	s.Use([]artifact.Sink{sink})
	eventually(t, "it is open", func() bool { return s.slot(0).export.links.Load() != nil })
	for i := range 1000 {
		end := connection(i)
		if i%2 == 0 {
			half := &record.FlowStats{FlowHead: end.FlowHead, Flow: record.Progress{Brief: end.Flow.Brief}, Whole: &end.Flow.Detail}
			half.Type = record.KindFlowStats
			half.Flow.Counters = record.Counters{LocalBytes: end.Flow.LocalBytes / 2, LocalPackets: 3, OtherBytes: 7, OtherPackets: 1}
			s.Offer(0, half)
			want.flows++
		}
		s.Offer(0, end)
		want.count(&end.Flow.Counters)
	}
	s.Close()
	if st := s.Status()[0]; len(st.Dropped) > 0 || st.Fault != "" {
		t.Fatalf("got %+v", st)
	}
	return want
}

// TestNfdumpReadsWhatIsSent has nfcapd collect and nfdump add up: the sums are those
// of the connections, told of in between or not.
func TestNfdumpReadsWhatIsSent(t *testing.T) {
	port := unusedPort(t)
	dir, stop := nfcapd(t, port)
	want := sendAll(t, ipfixSink("udp", "127.0.0.1:"+strconv.Itoa(port)))
	eventually(t, "nfcapd has read what came", func() bool { return drained(t, port) })
	stop()
	out, err := exec.Command("nfdump", "-R", dir, "-I").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, n := range map[string]uint64{"Flows": want.flows, "Bytes": want.bytes, "Packets": want.packets} {
		if line := fmt.Sprintf("\n%s: %d\n", name, n); !strings.Contains(string(out), line) {
			t.Errorf("nfdump does not say%s of:\n%s", line, out)
		}
	}
	if out, err = exec.Command("nfdump", "-R", dir, "-o", "json", "src port 10001 and dst port 443").CombinedOutput(); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`"first" : "` + time.UnixMilli(1795351400001).Local().Format("2006-01-02T15:04:05.000"), `"in_packets" : 11,`, `"in_bytes" : 1001,`, `"out_packets" : 41,`, `"out_bytes" : 50003,`,
		`"src4_addr" : "192.168.0.1"`, `"dst4_addr" : "198.51.100.7"`, `"src_vlan" : 42`, `"src_tos" : 184`, `"input_snmp" : 1,`, `"in_src_mac" : "02:00:00:00:00:0a"`, `"export_sysid" : 1`,
	} {
		if !strings.Contains(string(out), part) {
			t.Errorf("nfdump does not say %s of:\n%s", part, out)
		}
	}
}

// drained says that nothing waits in a socket of UDP (proc(5), net/udp, tx_queue and
// rx_queue).
func drained(t *testing.T, port int) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/thread-self/net/udp")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) && strings.HasSuffix(f[4], ":00000000") {
			return true
		}
	}
	return false
}

// receive takes the datagrams of a thousand connections.
func receive(t *testing.T) (want totals, messages [][]byte) {
	t.Helper()
	l, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	widen(t, l)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 64<<10)
		for {
			n, err := l.Read(buf)
			if err != nil {
				return
			}
			messages = append(messages, bytes.Clone(buf[:n]))
		}
	}()
	want = sendAll(t, ipfixSink("udp", l.LocalAddr().String()))
	_ = l.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	<-done
	l.Close()
	return want, messages
}

// widen has a socket hold all that a test sends: the reader may wait for a processor, and
// what finds no room is lost.
func widen(t *testing.T, l *net.UDPConn) {
	t.Helper()
	raw, err := l.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	const room = 8 << 20
	_ = raw.Control(func(fd uintptr) {
		if err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, room); err != nil { // CAP_NET_ADMIN
			err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, room)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTsharkReadsWhatIsSent has Wireshark's dissector decode a capture of what was
// sent.
func TestTsharkReadsWhatIsSent(t *testing.T) {
	want, messages := receive(t)
	name := filepath.Join(t.TempDir(), "ipfix.pcap")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(64<<10, layers.LinkTypeRaw); err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		buf := gopacket.NewSerializeBuffer()
		ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: net.IP{127, 0, 0, 1}, DstIP: net.IP{127, 0, 0, 1}}
		udp := &layers.UDP{SrcPort: 40000, DstPort: 4739}
		if err := errors.Join(udp.SetNetworkLayerForChecksum(ip), gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, udp, gopacket.Payload(m))); err != nil {
			t.Fatal(err)
		}
		at := gopacket.CaptureInfo{Timestamp: time.Unix(1795351500, 0), CaptureLength: len(buf.Bytes()), Length: len(buf.Bytes())}
		if err := w.WritePacket(at, buf.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	f.Close()
	out, err := exec.Command("tshark", "-r", name, "-T", "pdml").Output()
	if err != nil {
		t.Fatal(err)
	}
	var got totals
	for _, m := range regexp.MustCompile(`name="cflow\.(octets|packets)" showname="[A-Za-z]+: (\d+)( \(Reverse Type 1|\(Reverse)?`).FindAllStringSubmatch(string(out), -1) {
		n, _ := strconv.ParseUint(m[2], 10, 64)
		if m[1] == "octets" {
			got.bytes += n
		} else {
			got.packets += n
		}
	}
	got.flows = uint64(strings.Count(string(out), `name="cflow.flow_end_reason"`))
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, bad := range []string{"_ws.malformed", "_ws.expert", "No template"} {
		if n := strings.Count(string(out), bad); n > 0 {
			t.Errorf("tshark says %s %d times", bad, n)
		}
	}
}
