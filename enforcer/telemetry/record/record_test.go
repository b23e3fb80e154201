package record

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"unicode"
)

// hostile are words that a packet could carry.
var hostile = []string{
	"a\x1b[2Jb", "line\nbreak", `quote"back\slash`, "nul\x00", "bidi\u202eevil", "c1\u009b31m", "\xff\xfe", "del\x7f", "sep\u2028", "\ufeff",
	strings.Repeat("x\u202e\xff\"", 64<<10/6),
}

func sample(word string) *FlowEnd {
	r := &FlowEnd{FlowHead: FlowHead{Head: Head{Type: KindFlowEnd, SchemaVersion: SchemaVersion, Timestamp: 1}, Interface: word}, Reason: ReasonClosed}
	r.Flow.HostName, r.Flow.LocalIP, r.Flow.OtherIP = word, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	r.Flow.Policies, r.Flow.SSL.ALPN, r.Flow.SSL.Version = []string{word}, List(word), 0x0303
	r.Flow.Counters = Counters{LocalBytes: 1 << 63}
	return r
}

// TestHostileWords says that whatever stands in a packet, a record is one line of
// JSON that steers no terminal, and that reads back.
func TestHostileWords(t *testing.T) {
	for _, word := range hostile {
		line := sample(word).AppendJSON(nil)
		harmless(t, line)
		var back struct {
			Flow struct {
				HostName string `json:"host_server_name"`
				ALPN     []string
			}
		}
		if err := json.Unmarshal(line, &back); err != nil {
			t.Fatalf("%.40q: %v", word, err)
		}
		if want := strings.ToValidUTF8(word, "\ufffd"); !strings.Contains(word, "\xff") && back.Flow.HostName != want {
			t.Errorf("got %.40q back, want %.40q", back.Flow.HostName, want)
		}
	}
}

func harmless(t *testing.T, line []byte) {
	t.Helper()
	for _, r := range string(line) {
		if !unicode.IsPrint(r) || Deceptive(r) {
			t.Fatalf("%.80q has %U in it", line, r)
		}
	}
}

func FuzzHostileWords(f *testing.F) {
	for _, word := range hostile {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		line := sample(word).AppendJSON(nil)
		if !json.Valid(line) {
			t.Fatalf("%q: %q is not JSON", word, line)
		}
		for _, r := range string(line) {
			if r < 0x20 || r >= 0x7f && r <= 0x9f || r == 0x202e {
				t.Fatalf("%q has %U in it", line, r)
			}
		}
	})
}

// TestEncodingAllocatesNothing holds for each record that flows make.
func TestEncodingAllocatesNothing(t *testing.T) {
	end := sample("www.example.com")
	records := []Record{
		end,
		&Flow{FlowHead: end.FlowHead, Flow: end.Flow.Detail},
		&FlowStats{FlowHead: end.FlowHead, Flow: Progress{Brief: end.Flow.Brief, Counters: end.Flow.Counters}},
		&PolicyMatch{FlowHead: end.FlowHead, Policy: Policy{Name: "p", Evidence: []Attribute{{"application", "zoom"}}}, Flow: end.Flow.Detail},
	}
	buf := make([]byte, 0, 8<<10)
	for _, r := range records {
		if n := testing.AllocsPerRun(100, func() { buf = r.AppendJSON(buf[:0]) }); n != 0 {
			t.Errorf("%T: got %v allocations, want 0", r, n)
		}
		if n := testing.AllocsPerRun(100, func() { buf = r.AppendMsgpack(buf[:0]) }); n != 0 {
			t.Errorf("%T: got %v allocations as MessagePack, want 0", r, n)
		}
	}
}

func TestKinds(t *testing.T) {
	for k := range kinds {
		if got, ok := KindOf(k.String()); !ok || got != k {
			t.Errorf("KindOf(%q) = %v, %v", k.String(), got, ok)
		}
	}
	if _, ok := KindOf("flow_purge"); ok || kinds.String() != "unknown" {
		t.Error("a kind that there is not")
	}
	if s := Set(KindFlow, KindEndpoints); !s.Has(KindFlow) || s.Has(KindFlowEnd) {
		t.Errorf("got set %b", s)
	}
}

func TestNumbers(t *testing.T) {
	s := &AgentStatus{CPUUser: 12034, CPUSystem: 7}
	if got := string(s.AppendJSON(nil)); !strings.Contains(got, `"cpu_user":12.034,"cpu_system":0.007`) {
		t.Errorf("got %s", got)
	}
}

func BenchmarkFlowEnd(b *testing.B) {
	r := sample("us04web.zoom.us")
	buf := make([]byte, 0, 8<<10)
	b.ReportAllocs()
	for b.Loop() {
		buf = r.AppendJSON(buf[:0])
	}
	b.SetBytes(int64(len(buf)))
}
