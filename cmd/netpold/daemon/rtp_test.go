package daemon

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// rtpFigures are what one end of a flow sent: jitter in microseconds, negative where the
// clock of the time stamps is not known.
type rtpFigures struct {
	packets, lost int
	mean, most    float64
	streams       int // of tshark
}

// TestRTPAgreesWithTshark holds loss and jitter of RTP against tshark's, stream by stream: of calls that are
// made here, exactly, and with NETPOL_CORPUS of its captures, where the differences are listed.
func TestRTPAgreesWithTshark(t *testing.T) {
	kerneltest.Need(t, "tshark")
	call := madeCall(t)
	if both, same := compareRTP(t, []string{call}); both != 2 || same != [4]int{2, 2, 2, 2} {
		t.Errorf("of the made call's two streams %d are seen by both, and %v have the same packets, loss, mean and maximum", both, same)
	}
	corpus := os.Getenv("NETPOL_CORPUS")
	if corpus == "" {
		return
	}
	captures, err := filepath.Glob(filepath.Join(corpus, "dev", "*.pcap*"))
	if err != nil || len(captures) == 0 {
		t.Fatalf("no captures in %s: %v", corpus, err)
	}
	both, same := compareRTP(t, captures)
	t.Logf("%d streams of RTP: same packets %d, loss %d, mean jitter %d, maximum %d", both, same[0], same[1], same[2], same[3])
}

// compareRTP is how many streams both see, and of how many packets, loss, mean and maximum of
// jitter are the same. Only those that are alone on their way are compared, and jitter where tshark tells it.
func compareRTP(t *testing.T, captures []string) (both int, same [4]int) {
	t.Helper()
	ours := ourRTP(t, captures)
	for _, capture := range captures {
		prefix := filepath.Base(capture) + " "
		if !slices.ContainsFunc(slices.Collect(maps.Keys(ours)), func(key string) bool { return strings.HasPrefix(key, prefix) }) {
			continue
		}
		for key, theirs := range tsharkRTP(t, capture) {
			mine, there := ours[key]
			if !there || theirs.streams != 1 {
				continue
			}
			both++
			equal := [4]bool{mine.packets == theirs.packets, mine.lost == theirs.lost, near(mine.mean, theirs.mean), near(mine.most, theirs.most)}
			for i, ok := range equal {
				if ok {
					same[i]++
				}
			}
			if equal != [4]bool{true, true, true, true} {
				t.Logf("%s: got %d packets, %d lost, jitter %.0f and %.0f us; tshark %d, %d, %.0f and %.0f", key, mine.packets, mine.lost, mine.mean, mine.most, theirs.packets, theirs.lost, theirs.mean, theirs.most)
			}
		}
	}
	return both, same
}

// near says that two jitters are the same as far as tshark tells them, in whole microseconds;
// one that it does not know cannot be compared.
func near(mine, theirs float64) bool { return theirs < 0 || math.Abs(mine-theirs) <= 1.5 }

func ourRTP(t *testing.T, captures []string) map[string]rtpFigures {
	t.Helper()
	out := map[string]rtpFigures{}
	for line := range bytes.Lines(recordsOf(t, captures)) {
		var r struct {
			PCAP string
			Flow struct {
				LocalIP   string `json:"local_ip"`
				LocalPort int    `json:"local_port"`
				OtherIP   string `json:"other_ip"`
				OtherPort int    `json:"other_port"`
				RTP       map[string]float64
			}
		}
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		f := &r.Flow
		local, other := fmt.Sprint(f.LocalIP, " ", f.LocalPort), fmt.Sprint(f.OtherIP, " ", f.OtherPort)
		for side, way := range map[string]string{"local": local + " " + other, "other": other + " " + local} {
			if f.RTP[side+"_packets"] > 0 {
				out[r.PCAP+" "+way] = rtpFigures{
					packets: int(f.RTP[side+"_packets"]), lost: int(f.RTP[side+"_lost"]),
					mean: f.RTP[side+"_jitter_us"], most: f.RTP[side+"_jitter_max_us"],
				}
			}
		}
	}
	return out
}

// tsharkRTP are the rows of tshark's table, by the way of a stream.
func tsharkRTP(t *testing.T, capture string) map[string]*rtpFigures {
	t.Helper()
	text, err := exec.Command("tshark", "-r", capture, "-q", "--enable-heuristic", "rtp_udp", "-z", "rtp,streams").Output()
	if err != nil {
		t.Logf("%s: tshark: %v", capture, err) // it says so of captures that are cut off, too
	}
	out := map[string]*rtpFigures{}
	for line := range strings.Lines(string(text)) {
		// Start, end, address, port, address, port, SSRC, payload in words, packets, lost, (percent),
		// delta least, mean, most, jitter least, mean, most.
		v := strings.Fields(line)
		percent := slices.IndexFunc(v, func(word string) bool { return strings.HasSuffix(word, "%)") })
		if percent < 9 || len(v) < percent+7 || net.ParseIP(v[2]) == nil {
			continue
		}
		number := func(i int) float64 { f, _ := strconv.ParseFloat(v[percent+i], 64); return f }
		key := filepath.Base(capture) + " " + strings.Join(v[2:6], " ")
		f := out[key]
		if f == nil {
			f = &rtpFigures{}
			out[key] = f
		}
		f.streams++
		f.packets, f.lost, f.mean, f.most = int(number(-2)), int(number(-1)), number(5)*1000, number(6)*1000
		if number(4) < 0 {
			f.mean, f.most = -1, -1
		}
	}
	return out
}

// madeCall is a capture of a call both ways in G.711, whose packets are late by up to 15 ms, and of which one
// in twenty is lost, some twice in a row, and one in thirty overtaken by the next.
func madeCall(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "call.pcap")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(65536, layers.LinkTypeRaw); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	begin := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	ends := [2]*net.UDPAddr{{IP: net.IPv4(192, 168, 10, 7), Port: 40000}, {IP: net.IPv4(198, 51, 100, 9), Port: 30000}}
	order := make([]int, 1500)
	for i := range order {
		order[i] = i
	}
	for i := 100; i+1 < len(order); i += 30 {
		order[i], order[i+1] = order[i+1], order[i]
	}
	for i, n := range order {
		for side := range ends {
			late := time.Duration(random.IntN(15000)) * time.Microsecond
			if n > 50 && n < len(order)-50 && random.IntN(20) == 0 {
				continue
			}
			packet := voice(t, ends[side], ends[1-side], n, uint32(0x1234+side))
			at := gopacket.CaptureInfo{Timestamp: begin.Add(time.Duration(i)*20*time.Millisecond + late), CaptureLength: len(packet), Length: len(packet)}
			if err := w.WritePacket(at, packet); err != nil {
				t.Fatal(err)
			}
		}
	}
	return path
}

// voice is the nth packet of a stream: 20 ms of G.711, 8000 Hz (RFC 3551, payload type 0).
func voice(t *testing.T, from, to *net.UDPAddr, n int, ssrc uint32) []byte {
	t.Helper()
	rtp := make([]byte, 12+160)
	rtp[0] = 2 << 6
	binary.BigEndian.PutUint16(rtp[2:], uint16(65000+n)) // goes over its end
	binary.BigEndian.PutUint32(rtp[4:], uint32(n*160))
	binary.BigEndian.PutUint32(rtp[8:], ssrc)
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: from.IP, DstIP: to.IP}
	udp := &layers.UDP{SrcPort: layers.UDPPort(from.Port), DstPort: layers.UDPPort(to.Port)}
	if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, udp, gopacket.Payload(rtp)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
