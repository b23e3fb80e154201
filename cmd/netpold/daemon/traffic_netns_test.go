package daemon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
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
