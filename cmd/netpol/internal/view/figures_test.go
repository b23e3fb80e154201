package view

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/enforcer/telemetry"
)

func TestFigures(t *testing.T) {
	var got []string
	for _, n := range []uint64{0, 7, 999, 1000, 1234, 99_949, 99_950, 999_499, 999_500, 12_345_678, 1 << 63} {
		got = append(got, Figure(n))
	}
	for _, us := range []uint32{0, 90, 1500, 9949, 9950, 250_000, 999_500, 90_000_000} {
		got = append(got, Micros(us))
	}
	for _, d := range []time.Duration{-time.Second, 59 * time.Second, time.Minute, 59*time.Minute + 59*time.Second, time.Hour, 99*time.Hour + 59*time.Minute, 100 * time.Hour} {
		got = append(got, Age(d))
	}
	want := "0 7 999 1.0k 1.2k 99.9k 100k 999k 1.0M 12.3M 9.2E - 0.1ms 1.5ms 9.9ms 10ms 250ms 1.0s 90.0s 0s 59s 1m00 59m59 1h00 99h59 4d"
	if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := Bits(125_000); got != "1.0M" {
		t.Errorf("got %s of 125,000 bytes a second", got)
	}
}

func TestFit(t *testing.T) {
	tests := []struct {
		in      string
		columns int
		want    string
	}{
		{"abc", 5, "abc  "},
		{"abcdef", 4, "abc~"},
		{"会議室", 5, "会議~"},
		{"会議室", 4, "会 ~"}, // half a character is a space
		{"e\u0301e\u0301", 2, "e\u0301e\u0301"},
		{"abc", 1, "~"},
		{"abc", 0, ""},
		{"abc", -3, ""},
	}
	for _, tt := range tests {
		if got := Fit(tt.in, tt.columns); got != tt.want {
			t.Errorf("Fit(%q, %d): got %q, want %q", tt.in, tt.columns, got, tt.want)
		}
		if n := Columns(Fit(tt.in, tt.columns)); n != max(tt.columns, 0) {
			t.Errorf("Fit(%q, %d) takes %d columns", tt.in, tt.columns, n)
		}
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("  named at packet 1 and so on", 20)
	f.Add(strings.Repeat("会", 30), 9)
	f.Add(strings.Repeat("x", 100), 12)
	f.Fuzz(func(t *testing.T, s string, columns int) {
		columns = 9 + max(columns, -columns)%200
		if s = Line(s); len(s) > 2000 {
			return
		}
		words := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		lines := Wrap(s, columns)
		for _, l := range lines {
			if Columns(l) > columns {
				t.Errorf("%d columns of %d: %q", Columns(l), columns, l)
			}
		}
		if got := words(strings.Join(lines, "")); got != words(s) {
			t.Errorf("got %q of %q", got, s)
		}
	})
}

// TestFlowTable holds rows against what they were: on a wide terminal, on a narrow one, and
// where there is none.
func TestFlowTable(t *testing.T) {
	now := time.Unix(1000, 0)
	flow := &telemetry.Flow{
		Event: telemetry.Live, IPProtocol: 6, SrcIP: netip.MustParseAddr("192.168.1.2"), SrcPort: 40000, DstIP: netip.MustParseAddr("2001:db8::1"), DstPort: 443,
		Protocol: "tls", Application: "zoom", Hostname: "a\x1b[2Jb.zoom.us", By: "sni", Policies: []string{"calls"}, Bytes: 1_500_000, FirstSeen: now.Add(-75 * time.Second),
		LocalIP: netip.MustParseAddr("192.168.1.2"), LocalMAC: "02:00:00:00:00:01",
		Now: telemetry.Now{Rate: 100_000, LocalRate: 20_000, OtherRate: 80_000, RTTServer: 21_000, RTTClient: 400, Retrans: 3},
	}
	var b strings.Builder
	for _, width := range []int{130, 60, 0} {
		table := FlowTable{Width: width, Now: now}
		for range 2 {
			if err := table.Row(&b, flow); err != nil {
				t.Fatal(err)
			}
		}
	}
	row := `    800k     160k     640k   1.5M  1m15   21ms    3  tcp 192.168.1.2:40000 -> [2001:db8::1]:443 tls/zoom a\x1b[2Jb.zoom.us (sni) [calls]`
	short := `    800k   1.5M  1m15  tcp 192.168.1.2:40000 -> [2001:db8::~`
	heading := "RATE b/s   UP b/s DOWN b/s  BYTES   AGE    RTT RETR  CONNECTION"
	var want []string
	for _, l := range []string{heading, Fit(row, 130), Fit(row, 130), "RATE b/s  BYTES   AGE  CONNECTION", short, short, row, row} {
		want = append(want, strings.TrimRight(l, " "))
	}
	var got []string
	for _, l := range strings.Split(strings.TrimRight(b.String(), "\n"), "\n") {
		got = append(got, strings.TrimRight(l, " "))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	b.Reset()
	if err := FlowJSON(&b, flow); err != nil {
		t.Fatal(err)
	}
	var back struct {
		FormatVersion string `json:"format_version"`
		Type          string
		telemetry.Flow
	}
	if err := json.Unmarshal([]byte(b.String()), &back); err != nil {
		t.Fatal(err)
	}
	if back.FormatVersion != FormatVersion || back.Type != "flow" || back.Now != flow.Now || back.LocalMAC != flow.LocalMAC {
		t.Errorf("got %s", b.String())
	}
	if !strings.Contains(b.String(), `"local_rate":20000,"other_rate":80000,`) {
		t.Error(fmt.Sprint("directions are missing: ", b.String()))
	}
}
