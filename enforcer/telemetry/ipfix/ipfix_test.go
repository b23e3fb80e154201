package ipfix

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/telemetry/record"
)

func sample(v6 bool) *Flow {
	d := &record.Detail{
		Brief:       record.Brief{Digest: record.Digest{1, 2, 3, 4, 5, 6, 7, 8, 9}, LastSeenAt: 1795351500021, ApplicationName: "zoom", BrandName: "zoom", ProtocolName: "tls"},
		FirstSeenAt: 1795351400000, IPVersion: 4, IPProtocol: 6, IPDSCP: 46, VLANID: 7, LocalOrigin: true,
		LocalIP: netip.MustParseAddr("192.0.2.1"), LocalMAC: "02:00:00:00:00:0a", LocalPort: 40000,
		OtherIP: netip.MustParseAddr("198.51.100.1"), OtherPort: 443, HostName: "us04web.zoom.us",
		Category: record.Category{Application: "video-conference"}, Labels: []string{"a", "b"},
	}
	if v6 {
		d.IPVersion, d.LocalIP, d.OtherIP = 6, netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
	}
	return &Flow{Detail: d, Total: [2]Counts{{1000, 10}, {2000, 20}}, Delta: [2]Counts{{100, 1}, {200, 2}}, Reason: EndOfFlow, Ingress: 3}
}

// longest is a flow all of whose strings are as long as can be.
func longest() *Flow {
	f := sample(true)
	word := strings.Repeat("é", 400)
	d := f.Detail
	d.ApplicationName, d.Category.Application, d.ProtocolName, d.BrandName, d.HostName, d.DNSHostName = word, word, word, word, word, word
	d.SSL = record.SSL{ClientSNI: word, ClientJA4: word, ServerJA4: word, ALPN: record.List(word), QUICVersion: word}
	d.Labels, d.Policies, d.Risks.Names, d.HTTP.UserAgent = []string{word, word}, []string{"a", word}, record.List(word), word
	d.Conntrack.ReplySrcIP, d.Conntrack.ReplyDstIP = d.LocalIP, d.OtherIP
	return f
}

// TestMessages walks over what was sent as RFC 7011 says: versions, lengths,
// sequence numbers, and that no message is longer than it may be.
func TestMessages(t *testing.T) {
	for _, most := range []int{MinMessage, DefaultMessage, MaxMessage} {
		var sent [][]byte
		x := NewExporter(DocumentationPEN, 77, most, func(m []byte) error { sent = append(sent, bytes.Clone(m)); return nil })
		e := NewEncoder(DocumentationPEN, most)
		now := time.Unix(1795351500, 0)
		if err := x.Templates(now); err != nil {
			t.Fatal(err)
		}
		var queue []byte
		for i := range 100 {
			f := sample(i%3 == 0)
			if i%10 == 0 {
				f = longest()
			}
			queue = e.Append(queue, f)
			e.Sent(f)
		}
		if n, err := x.Flows(now, queue); n != len(queue) || err != nil {
			t.Fatalf("sent %d of %d: %v", n, len(queue), err)
		}
		if err := x.Tables(now, State{NotSent: 5}); err != nil {
			t.Fatal(err)
		}
		records, sequence := 0, uint32(0)
		for _, m := range sent {
			if len(m) > most || binary.BigEndian.Uint16(m) != 10 || int(binary.BigEndian.Uint16(m[2:])) != len(m) || binary.BigEndian.Uint32(m[12:]) != 77 {
				t.Fatalf("got a message of %d bytes, at most %d: % x", len(m), most, m[:16])
			}
			if got := binary.BigEndian.Uint32(m[8:]); got != sequence {
				t.Errorf("got sequence number %d, want %d", got, sequence)
			}
			n, flows := walk(t, m[16:])
			sequence += uint32(n)
			records += flows
		}
		if records != 100 {
			t.Errorf("got %d records of flows, want 100", records)
		}
	}
}

// walk counts the data records of a message, and those of flows.
func walk(t *testing.T, m []byte) (records, flows int) {
	t.Helper()
	layout := map[uint16][]element{}
	for i, fields := range templates() {
		for _, f := range fields {
			layout[uint16(templateFlow+i)] = append(layout[uint16(templateFlow+i)], f.element)
		}
	}
	for _, o := range optionsTemplates() {
		layout[o.id] = o.fields
	}
	for len(m) > 0 {
		id, size := binary.BigEndian.Uint16(m), int(binary.BigEndian.Uint16(m[2:]))
		if size < 4 || size > len(m) {
			t.Fatalf("set %d has %d bytes of %d", id, size, len(m))
		}
		body := m[4:size]
		for m = m[size:]; id >= 256 && len(body) > 0; records++ {
			for _, e := range layout[id] {
				n := int(e.length)
				if e.length == variable {
					if n, body = int(body[0]), body[1:]; n == longString {
						n, body = int(binary.BigEndian.Uint16(body)), body[2:]
					}
				}
				body = body[n:]
			}
			if id < templateApplication {
				flows++
			}
		}
	}
	return records, flows
}

func TestTexts(t *testing.T) {
	for in, want := range map[string]string{
		"":         "\x00",
		"zoom":     "\x04zoom",
		"a\x1b[2J": "\x07a\ufffd[2J",
		"\xff":     "\x03\ufffd",
		"\u202ex":  "\x04\ufffdx",
	} {
		if got := string(appendText(nil, in, 255)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := appendText(nil, strings.Repeat("é", 200), 255); len(got) != 1+254 || got[0] != 254 {
		t.Errorf("got %d bytes, length %d: whole characters only", len(got), got[0])
	}
	if got := appendText(nil, strings.Repeat("x", 300), 255); len(got) != 3+255 || !bytes.HasPrefix(got, []byte{255, 0, 255}) {
		t.Errorf("got %d bytes that begin with % x", len(got), got[:3])
	}
	if got := string(appendTexts(nil, []string{"one", "two", "three"}, 8)); got != "\x07one,two" {
		t.Errorf("got %q", got)
	}
	if got := appendMAC(nil, "02:0A:bc:00:00:ff"); !bytes.Equal(got, []byte{2, 0x0a, 0xbc, 0, 0, 0xff}) {
		t.Errorf("got % x", got)
	}
}

// TestNothingAllocates holds for records of flows once their application is listed.
func TestNothingAllocates(t *testing.T) {
	e := NewEncoder(DocumentationPEN, DefaultMessage)
	x := NewExporter(DocumentationPEN, 0, DefaultMessage, func([]byte) error { return nil })
	f, now := sample(false), time.Now()
	buf := e.Append(nil, f)
	e.Sent(f)
	if _, err := x.Flows(now, buf); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		buf = e.Append(buf[:0], f)
		_, _ = x.Flows(now, buf)
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func BenchmarkFlow(b *testing.B) {
	e := NewEncoder(DocumentationPEN, DefaultMessage)
	f := sample(false)
	e.Sent(f)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = e.Append(buf[:0], f)
	}
	b.SetBytes(int64(len(buf)))
}

func FuzzTexts(f *testing.F) {
	f.Add("a\x1b\xff\u202e", 10)
	f.Fuzz(func(t *testing.T, s string, most int) {
		most = min(max(most, 0), 255)
		b := appendText(nil, s, most)
		n, head := int(b[0]), 1
		if n == longString {
			n, head = int(binary.BigEndian.Uint16(b[1:])), 3
		}
		if len(b) != head+n || n > most {
			t.Fatalf("%q at most %d: % x", s, most, b)
		}
	})
}

// TestPseudonyms: a sink that is told pseudonyms of addresses, which are of IPv6, is told them of
// flows of IPv4 as well.
func TestPseudonyms(t *testing.T) {
	f := sample(false)
	f.Detail.LocalIP = netip.MustParseAddr("100::1:2:3:4")
	b := NewEncoder(DocumentationPEN, DefaultMessage).Append(nil, f)
	other := netip.MustParseAddr("::ffff:198.51.100.1").As16()
	local := f.Detail.LocalIP.As16()
	if which(f) != 1 || !bytes.Contains(b, append(local[:], other[:]...)) {
		t.Errorf("template %d: % x", which(f), b)
	}
}
