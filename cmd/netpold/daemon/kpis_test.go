package daemon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// tcpFigures are what is counted of a connection, and how long its handshake took in seconds.
type tcpFigures struct {
	packets int
	counts  [4]int // retransmissions, out of order, zero windows, resets
	rtt     float64
	streams map[string]bool // of tshark
}

// figureNames are those of tcpFigures.counts.
var figureNames = [4]string{"retransmissions", "out of order", "zero windows", "resets"}

// TestKPIsAgreeWithTshark holds what TCP connections did wrong and how long their handshakes took against tshark's
// analysis, connection by connection. With NETPOL_CORPUS it reads those captures as well, which
// takes two minutes. Where the two differ tshark knows less: it calls late what comes within the time from SYN to the
// first packet of the client, however long that was, and forgets which bytes it has seen once they were acknowledged.
func TestKPIsAgreeWithTshark(t *testing.T) {
	kerneltest.Need(t, "tshark")
	captures, err := filepath.Glob("../../../policies/examples/*/*.pcap")
	if err != nil || len(captures) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	if corpus := os.Getenv("NETPOL_CORPUS"); corpus != "" {
		more, err := filepath.Glob(filepath.Join(corpus, "dev", "*.pcap*"))
		if err != nil || len(more) == 0 {
			t.Fatalf("no captures in %s: %v", corpus, err)
		}
		captures = append(captures, more...)
	}
	ours := ourFigures(t, captures)
	var flows, handshakes, sameHandshakes int
	var same [4]int
	for _, capture := range captures {
		for key, theirs := range tsharkFigures(t, capture) {
			mine := ours[key]
			if len(mine) != 1 || len(theirs.streams) != 1 || mine[0].packets != theirs.packets {
				continue // several connections of one tuple, or packets that one of the two cannot read
			}
			flows++
			for i, n := range theirs.counts {
				if n == mine[0].counts[i] {
					same[i]++
				} else {
					t.Logf("%s: %s: got %d, tshark %d", key, figureNames[i], mine[0].counts[i], n)
				}
			}
			if theirs.rtt != 0 && mine[0].rtt != 0 {
				handshakes++
				if math.Abs(theirs.rtt-mine[0].rtt) < 3e-6 {
					sameHandshakes++
				}
			}
		}
	}
	t.Logf("%d connections: same %v: %v; %d of %d handshakes", flows, figureNames, same, sameHandshakes, handshakes)
	if flows == 0 || handshakes == 0 || sameHandshakes*1000 < handshakes*995 || slices.Min(same[:])*1000 < flows*995 {
		t.Errorf("fewer than 99.5 %% are the same")
	}
}

// flowKey names a connection of a capture, by its ends.
func flowKey(capture string, ends ...string) string {
	slices.Sort(ends)
	return filepath.Base(capture) + " " + strings.Join(ends, " ")
}

// recordsOf are the records of captures, as far as they can be read.
func recordsOf(t *testing.T, captures []string) []byte {
	t.Helper()
	records, err := replayedAsFar(t, "policy \"p\" {\n criteria = \"app == 'zoom'\"\n label = \"p\"\n}\n", captures...)
	if err != nil {
		t.Logf("not read to the end: %v", err)
	}
	return records
}

func ourFigures(t *testing.T, captures []string) map[string][]tcpFigures {
	t.Helper()
	out := map[string][]tcpFigures{}
	for line := range bytes.Lines(recordsOf(t, captures)) {
		var r struct {
			PCAP string
			Flow struct {
				Protocol  int    `json:"ip_protocol"`
				LocalIP   string `json:"local_ip"`
				LocalPort int    `json:"local_port"`
				OtherIP   string `json:"other_ip"`
				OtherPort int    `json:"other_port"`
				KPI       struct {
					Packets int
					Server  float64 `json:"rtt_server_us"`
					Client  float64 `json:"rtt_client_us"`
				}
				TCP struct {
					Retrans, Resets int
					SeqErrors       int `json:"seq_errors"`
					ZeroWindows     int `json:"zero_windows"`
				}
			}
		}
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		f := &r.Flow
		if f.Protocol != 6 {
			continue
		}
		one := tcpFigures{packets: f.KPI.Packets, counts: [4]int{f.TCP.Retrans, f.TCP.SeqErrors, f.TCP.ZeroWindows, f.TCP.Resets}}
		if f.KPI.Server > 0 && f.KPI.Client > 0 {
			one.rtt = (f.KPI.Server + f.KPI.Client) / 1e6
		}
		key := flowKey(r.PCAP, fmt.Sprint(f.LocalIP, " ", f.LocalPort), fmt.Sprint(f.OtherIP, " ", f.OtherPort))
		out[key] = append(out[key], one)
	}
	return out
}

func tsharkFigures(t *testing.T, capture string) map[string]*tcpFigures {
	t.Helper()
	args := []string{"-r", capture, "-Y", "tcp", "-T", "fields", "-E", "separator=|"}
	for _, field := range []string{
		"ip.src", "ipv6.src", "ip.dst", "ipv6.dst", "tcp.srcport", "tcp.dstport", "tcp.stream", "tcp.analysis.initial_rtt",
		"tcp.analysis.retransmission", "tcp.analysis.out_of_order", "tcp.analysis.zero_window", "tcp.flags.reset",
	} {
		args = append(args, "-e", field)
	}
	text, err := exec.Command("tshark", args...).Output()
	if err != nil {
		t.Logf("%s: tshark: %v", capture, err) // it says so of captures that are cut off, too
	}
	out := map[string]*tcpFigures{}
	for line := range strings.Lines(string(text)) {
		v := strings.Split(strings.TrimSpace(line), "|")
		if len(v) != 12 || strings.Contains(line, ",") {
			continue // a packet in another
		}
		key := flowKey(capture, v[0]+v[1]+" "+v[4], v[2]+v[3]+" "+v[5])
		f := out[key]
		if f == nil {
			f = &tcpFigures{streams: map[string]bool{}}
			out[key] = f
		}
		f.packets++
		f.streams[v[6]] = true
		if rtt, err := strconv.ParseFloat(v[7], 64); err == nil {
			f.rtt = rtt
		}
		for i, field := range v[8:] {
			if field == "1" || field == "True" {
				f.counts[i]++
			}
		}
	}
	return out
}
