package policies_test

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/classify"
	"github.com/netpol/netpol/enforcer/dissect/bittorrent"
	"github.com/netpol/netpol/enforcer/dissect/fixed"
	"github.com/netpol/netpol/enforcer/dissect/stun"
	"github.com/netpol/netpol/enforcer/dissect/zoom"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/policies"
)

func classifier(t testing.TB) *classify.Classifier {
	t.Helper()
	cat, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	c, err := classify.New(cat)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSpotchecks asks the compiled catalogue for well-known names.
func TestSpotchecks(t *testing.T) {
	c := classifier(t)
	data, err := os.ReadFile("testdata/spotchecks.txt")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) != 3 {
			t.Fatalf("bad row %q", line)
		}
		var got string
		switch f[0] {
		case "host":
			got, _ = c.Host(f[1])
		case "address":
			got, _ = c.Address(netip.MustParseAddr(f[1]))
		default:
			t.Fatalf("bad row %q", line)
		}
		if checked++; got != strings.Trim(f[2], "-") {
			t.Errorf("%s %s: got %q, want %s", f[0], f[1], got, f[2])
		}
	}
	if checked < 200 {
		t.Errorf("%d spot checks, want at least 200", checked)
	}
}

// TestDissectedProtocolsAreNamed holds the dissectors to the catalogue: what
// they set, a policy can name.
func TestDissectedProtocolsAreNamed(t *testing.T) {
	cat, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, p := range cat.Protocols {
		known = append(known, p.Tag)
	}
	for _, tag := range append(fixed.New().Tags(), bittorrent.Tag, stun.Tag, zoom.Tag) {
		if !slices.Contains(known, tag) {
			t.Errorf("protocol %s is not in protocols.txt", tag)
		}
	}
}

// TestZoomEvidence is what the README promises: each of a call's flows is
// Zoom, by its own evidence.
func TestZoomEvidence(t *testing.T) {
	c := classifier(t)
	flow := fact.Facts{IPProtocol: 17, SrcIP: netip.MustParseAddr("192.168.1.117"), SrcPort: 50000, DstIP: netip.MustParseAddr("170.114.1.1"), DstPort: 3478}
	tests := []struct {
		name string
		edit func(*fact.Facts)
		by   string
	}{
		{"signalling", func(f *fact.Facts) {
			f.IPProtocol, f.Protocol, f.Hostname, f.By = 6, "tls", "us04web.zoom.us", fact.BySNI
		}, fact.BySNI},
		{"media", func(f *fact.Facts) { f.DstIP, f.Protocol = netip.MustParseAddr("198.51.100.1"), "zoom-media" }, fact.ByPayload},
		{"address discovery", func(f *fact.Facts) { f.Protocol = "stun" }, fact.ByNetwork},
	}
	for _, tt := range tests {
		f := flow
		tt.edit(&f)
		if c.Classify(&f, false, nil, 0); f.Application != "zoom" || f.By != tt.by {
			t.Errorf("%s: got %q by %q, want zoom by %q", tt.name, f.Application, f.By, tt.by)
		}
	}
	look := flow
	look.Protocol, look.DNSHostname = "dns", "us04web.zoom.us"
	if c.Classify(&look, true, nil, 0); look.Application != "" {
		t.Errorf("look-up: got %q, want no application", look.Application)
	}
}

func BenchmarkHost(b *testing.B) {
	c := classifier(b)
	b.ReportAllocs()
	for b.Loop() {
		c.Host("r4---sn-abc.googlevideo.com")
	}
}

func BenchmarkAddress(b *testing.B) {
	c := classifier(b)
	a := netip.MustParseAddr("170.114.1.1")
	b.ReportAllocs()
	for b.Loop() {
		c.Address(a)
	}
}
