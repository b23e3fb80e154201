package daemon

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// TestTrafficIsCounted sends datagrams past an interface that is read whole: interface_stats has each of them, by what
// it is, endpoints the host that sent them, and the flow's record says that it was measured over all of its packets.
func TestTrafficIsCounted(t *testing.T) {
	s, e := watching(t, slog.New(slog.DiscardHandler), artifact.Input{Name: "lan", Interface: kerneltest.ClientDevice})
	s.waitFor("the interface read", func() bool { _, ok := e.inputs.counters()["input_lan_packets"]; return ok })
	_, say := s.talk()
	const n, size = 150, 700
	say(n, size)

	type line struct {
		Type, Input, Interface            string
		Raw, UDP, IP, Discarded, Ethernet int
		LargestBytes                      int `json:"largest_bytes"`
		IPBytes                           int `json:"ip_bytes"`
		WireBytes                         int `json:"wire_bytes"`
		Dropped                           int `json:"capture_dropped"`
		Flow                              struct {
			KPI          struct{ Packets int }
			TotalPackets int `json:"total_packets"`
		}
	}
	last := func(kind string, is func(*line) bool) (out line) {
		data, _ := os.ReadFile(s.told)
		for text := range bytes.Lines(data) {
			var one line
			if err := json.Unmarshal(text, &one); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if one.Type == kind && is(&one) {
				out = one
			}
		}
		return out
	}
	read := func(l *line) bool { return l.Input == "lan" }
	measured := func(l *line) bool { return l.Flow.TotalPackets == 2*n }
	s.waitFor("the datagrams", func() bool { return last("interface_stats", read).UDP >= 2*n })
	got := last("interface_stats", read)
	if got.Interface != kerneltest.ClientDevice || got.UDP != 2*n || got.Raw < got.IP || got.Ethernet != got.Raw || got.LargestBytes != 14+28+size ||
		got.IPBytes < 2*n*(28+size) || got.WireBytes < got.IPBytes+14*got.IP || got.Dropped != 0 {
		t.Errorf("got %+v, want %d datagrams of %d bytes", got, 2*n, 14+28+size)
	}
	s.waitFor("statistics of the flow", func() bool { return last("flow_stats", measured).Flow.TotalPackets != 0 })
	if got := last("flow_stats", measured).Flow.KPI.Packets; got != 2*n {
		t.Errorf("kpi.packets is %d, want %d", got, 2*n)
	}
	_, link, _ := strings.Cut(s.Client.Run("ip", "-o", "link", "show", "eth0"), "link/ether ")
	host := fmt.Sprintf("%q:[%q", strings.Fields(link)[0], s.ClientAddr4)
	s.waitFor("the host", func() bool { data, _ := os.ReadFile(s.told); return bytes.Contains(data, []byte(host)) })
	if data, _ := os.ReadFile(s.told); bytes.Contains(data, []byte(`"::"`)) {
		t.Error("a host has the unspecified address")
	}
}

// TestRetransmissionsAreCounted has the router drop each twentieth segment of an upload: the record has as many
// retransmissions as the kernels of both ends say that they made, each its own, and so have the rows of an
// aggregate together: none is taken for a segment that was overtaken, as some are where a sender changes from one
// processor to another.
func TestRetransmissionsAreCounted(t *testing.T) {
	kerneltest.Need(t, "ethtool")
	s, e := watching(t, slog.New(slog.DiscardHandler), artifact.Input{Name: "lan", Interface: kerneltest.ClientDevice})
	s.waitFor("the interface read", func() bool { _, ok := e.inputs.counters()["input_lan_packets"]; return ok })
	s.Client.Run("ethtool", "-K", "eth0", "tso", "off", "gso", "off") // what the kernel counts are segments
	in, port := s.listen()
	s.Router.Run("nft", "add table inet lossy; add chain inet lossy c { type filter hook forward priority 0; }")
	s.Router.Run("nft", fmt.Sprintf("add rule inet lossy c tcp dport %d numgen inc mod 20 == 19 drop", port))
	go func() {
		if conn, err := in.Accept(); err == nil {
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}
	}()
	out := s.dial(in)
	defer out.Close()
	if _, err := out.Write(make([]byte, 1_000_000)); err != nil {
		t.Fatal(err)
	}
	_ = out.(*net.TCPConn).CloseWrite()
	if n, err := out.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatalf("read %d bytes: %v", n, err)
	}
	// Either may send its FIN again meanwhile.
	sent := func() quality {
		client := retransmitted(t, s.Client.Run("cat", "/proc/net/snmp"))
		return quality{Retrans: client + retransmitted(t, s.Server.Run("cat", "/proc/net/snmp")), Local: client}
	}
	if sent().Local == 0 {
		t.Fatal("nothing was lost")
	}
	got := func() (out quality, rtt int) {
		data, _ := os.ReadFile(s.told)
		for text := range bytes.Lines(data) {
			var one struct {
				Type string
				Flow struct {
					TCP *quality
					KPI struct {
						Server int `json:"rtt_server_us"`
						Client int `json:"rtt_client_us"`
					}
				}
			}
			if err := json.Unmarshal(text, &one); err == nil && one.Type == "flow_stats" && one.Flow.TCP != nil {
				out, rtt = *one.Flow.TCP, min(one.Flow.KPI.Server, one.Flow.KPI.Client)
			}
		}
		return out, rtt
	}
	var q, want quality
	var rtt int
	defer func() {
		if t.Failed() {
			t.Errorf("got %+v, shorter round trip %d µs, want %+v", q, rtt, want)
		}
	}()
	s.waitFor("as many retransmissions as the kernels count", func() bool {
		want = sent()
		q, rtt = got()
		return q == want && rtt != 0
	})
	s.waitFor("as many in the rows of an aggregate, and one round trip", func() bool {
		want = sent()
		counts, trips := s.care()
		return counts == want && trips == 1
	})
}

// quality is what of TCP's figures the test compares.
type quality struct {
	Retrans int
	Local   int `json:"local_retrans"`
}

// care is what the rows of the aggregate have together, and how many round trips to servers.
func (s *site) care() (sum quality, trips int) {
	data, _ := os.ReadFile(s.told)
	for text := range bytes.Lines(data) {
		var one struct {
			Rows []struct {
				Health struct {
					TCP    quality
					Server struct{ Count int } `json:"rtt_server_us"`
				}
			}
		}
		if err := json.Unmarshal(text, &one); err != nil {
			return quality{}, 0 // it is being written
		}
		for _, r := range one.Rows {
			h := &r.Health
			sum.Retrans, sum.Local = sum.Retrans+h.TCP.Retrans, sum.Local+h.TCP.Local
			trips += h.Server.Count
		}
	}
	return sum, trips
}

// retransmitted is how many segments a kernel has sent again (RetransSegs of RFC 4022).
func retransmitted(t *testing.T, snmp string) (n int) {
	t.Helper()
	var names []string
	for line := range strings.Lines(snmp) {
		fields := strings.Fields(line)
		switch {
		case fields[0] != "Tcp:":
		case names == nil:
			names = fields
		default:
			i := slices.Index(names, "RetransSegs")
			if _, err := fmt.Sscan(fields[i], &n); err != nil {
				t.Fatal(err)
			}
		}
	}
	return n
}
