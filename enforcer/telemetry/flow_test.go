package telemetry

import (
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/netpol/netpol/enforcer/telemetry/record"
)

func sample() Flow {
	at := time.Date(2024, 5, 6, 7, 8, 9, 123456789, time.UTC)
	return Flow{
		PCAP: "zoom.pcap", IPProtocol: 6,
		SrcIP: netip.MustParseAddr("192.0.2.1"), SrcPort: 40000,
		DstIP: netip.MustParseAddr("2001:db8::2"), DstPort: 443, VLANID: 7,
		Protocol: "tls", Application: "zoom", Brand: "zoom", Category: "voip", Hostname: "us04web.zoom.us",
		TLSVersion: "TLSv1.3", JA4: "t13d1516h2_8daaf6152771_b186095e22b6", ALPN: "h2,http/1.1",
		Packets: 12, Bytes: 3456, DetectionPackets: 4, InspectedPackets: 2,
		Labels: []string{"zoom"}, Policies: []string{"prioritize-zoom"},
		By: "sni", DNSHostname: "zoom.us", Interface: "lan0", Input: "tap", FirstSeen: at, LastSeen: at.Add(time.Second),
	}
}

const sampleJSON = `{"pcap":"zoom.pcap","ip_protocol":6,"src_ip":"192.0.2.1","src_port":40000,` +
	`"dst_ip":"2001:db8::2","dst_port":443,"vlan_id":7,"protocol":"tls","application":"zoom","brand":"zoom","category":"voip",` +
	`"hostname":"us04web.zoom.us","tls_version":"TLSv1.3","ja4":"t13d1516h2_8daaf6152771_b186095e22b6",` +
	`"alpn":"h2,http/1.1","packets":12,"bytes":3456,"detection_packets":4,"inspected_packets":2,"labels":["zoom"],` +
	`"policies":["prioritize-zoom"],"by":"sni","dns_hostname":"zoom.us","interface":"lan0","input":"tap","detection_guessed":false,` +
	`"first_seen":"2024-05-06T07:08:09.123456789Z","last_seen":"2024-05-06T07:08:10.123456789Z"}`

func TestAppendJSON(t *testing.T) {
	f := sample()
	if diff := cmp.Diff(sampleJSON, string(f.AppendJSON(nil))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	f.Event = Live
	if got := string(f.AppendJSON(nil)); !strings.HasPrefix(got, `{"event":"live","pcap"`) {
		t.Errorf("got %s, want the event first", got)
	}
}

// TestJSONRoundTrip holds the struct tags and the encoder together: what one
// writes the other reads, key for key.
func TestJSONRoundTrip(t *testing.T) {
	want := sample()
	data, err := json.Marshal(&want)
	if err != nil {
		t.Fatal(err)
	}
	var got Flow
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestEmptyRecord(t *testing.T) {
	var got Flow
	if err := json.Unmarshal((&Flow{}).AppendJSON(nil), &got); err != nil {
		t.Fatalf("an empty record is not JSON: %v", err)
	}
	if s := string((&Flow{}).AppendJSON(nil)); !strings.Contains(s, `"labels":[],"policies":[]`) {
		t.Errorf("got %s, want empty lists, not null", s)
	}
}

func TestAppendText(t *testing.T) {
	ping := Flow{IPProtocol: 1, SrcIP: netip.MustParseAddr("192.0.2.1"), DstIP: netip.MustParseAddr("192.0.2.2"), Packets: 2, Bytes: 196}
	tests := []struct {
		name string
		in   Flow
		want string
	}{
		{"named", sample(), "zoom.pcap tcp 192.0.2.1:40000 -> [2001:db8::2]:443 vlan 7 tls/zoom us04web.zoom.us TLSv1.3 (sni) 12 packets 3456 bytes [prioritize-zoom]"},
		{"no ports, no name", ping, "icmp 192.0.2.1 -> 192.0.2.2 unknown 2 packets 196 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(tt.in.AppendText(nil)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// hostile are words that a packet could carry.
var hostile = []string{
	"a\x1b[2Jb", "line\nbreak", `quote"back\slash`, "nul\x00", "bidi\u202eevil", "c1\u009b31m", "\xff\xfe", "del\x7f", "sep\u2028", "\ufeff",
}

func TestHostileWords(t *testing.T) {
	for _, word := range hostile {
		f := sample()
		f.Hostname, f.ALPN, f.Policies = word, word, []string{word}
		line := f.AppendJSON(nil)
		checkHarmless(t, string(line))
		checkHarmless(t, string(f.AppendText(nil)))
		var back Flow
		if err := json.Unmarshal(line, &back); err != nil {
			t.Errorf("%q: not JSON: %v", word, err)
		}
		if want := strings.ToValidUTF8(word, "\ufffd"); word != "\xff\xfe" && back.Hostname != want {
			t.Errorf("got %q back, want %q", back.Hostname, want)
		}
	}
}

func checkHarmless(t *testing.T, s string) {
	t.Helper()
	for _, r := range s {
		if !unicode.IsPrint(r) || record.Deceptive(r) {
			t.Errorf("%q has %U in it", s, r)
		}
	}
}

func FuzzHostileWords(f *testing.F) {
	for _, word := range hostile {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		in := Flow{Hostname: word}
		var back Flow
		if err := json.Unmarshal(in.AppendJSON(nil), &back); err != nil {
			t.Fatalf("%q: not JSON: %v", word, err)
		}
		for _, b := range [][]byte{in.AppendJSON(nil), in.AppendText(nil)} {
			for _, r := range string(b) {
				if r < 0x20 || r >= 0x7f && r <= 0x9f || r == 0x202e {
					t.Fatalf("%q has %U in it", b, r)
				}
			}
		}
	})
}

func TestAppendNoAllocs(t *testing.T) {
	f := sample()
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { buf = f.AppendText(f.AppendJSON(buf[:0])) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func TestTLSVersionName(t *testing.T) {
	for version, want := range map[int]string{0: "", 0x300: "SSLv3", 0x303: "TLSv1.2", 0x304: "TLSv1.3", 0xfefd: "DTLSv1.2", 0x7f1c: "0x7f1c"} {
		if got := TLSVersionName(version); got != want {
			t.Errorf("%#x: got %q, want %q", version, got, want)
		}
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestLines(t *testing.T) {
	var out strings.Builder
	l := NewLines(&out, JSONL)
	f := sample()
	l.Record(&f)
	l.Record(&f)
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	if want := sampleJSON + "\n" + sampleJSON + "\n"; out.String() != want {
		t.Errorf("got %q", out.String())
	}
	l = NewLines(failingWriter{}, Text)
	for range 2000 {
		l.Record(&f)
	}
	if err := l.Flush(); err == nil || err.Error() != "write flow records: disk full" {
		t.Errorf("got %v, want the writer's error", err)
	}
}

func TestDTLSVersionName(t *testing.T) {
	for version, want := range map[int]string{0: "", 0x302: "DTLSv1.0", 0x303: "DTLSv1.2", 0x304: "DTLSv1.3", 0xfefd: "DTLSv1.2"} {
		if got := DTLSVersionName(version); got != want {
			t.Errorf("DTLSVersionName(%#x) = %q, want %q", version, got, want)
		}
	}
}
