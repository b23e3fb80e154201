package policies

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

func TestCatalogue(t *testing.T) {
	cat, err := Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(cat.Applications); n < 1000 {
		t.Errorf("%d applications, want at least 1000", n)
	}
	dir, err := fs.Sub(embedded, "catalog")
	if err != nil {
		t.Fatal(err)
	}
	strict, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if cat.Digest == "" || cat.Digest != strict.Digest {
		t.Errorf("digests %q and, by strict rules, %q, want one digest", cat.Digest, strict.Digest)
	}
}

func BenchmarkCatalogue(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Catalogue(); err != nil {
			b.Fatal(err)
		}
	}
}

func TestDigestCoversContent(t *testing.T) {
	small := smallCatalogue()
	before, err := Read(small)
	if err != nil {
		t.Fatal(err)
	}
	small["domains.txt"].Data = []byte("zoom\tzoom.example\n")
	after, err := Read(small)
	if err != nil {
		t.Fatal(err)
	}
	if before.Digest == after.Digest {
		t.Errorf("digest %s stays after a domain changed", before.Digest)
	}
}

// smallCatalogue is a valid catalogue for tests to spoil.
func smallCatalogue() fstest.MapFS {
	dir := fstest.MapFS{}
	for name, text := range map[string]string{
		"categories.txt":   "# comment\ngames\tGames\nweb\tWeb\n",
		"applications.txt": "steam\tgames\tSteam\tGame store\nzoom\tweb\tZoom\tMeetings\n",
		"brands.txt":       "",
		"protocols.txt":    "http\tweb\t-\ttcp/80,tcp/8000-8001\tHTTP\nsteam\tgames\tsteam\t-\tSteam client\n",
		"domains.txt":      "zoom\tzoom.us\n",
		"networks.txt":     "zoom\t3.7.35.0/25\nzoom\t2620:123:2000::/40\n",
		"signatures.txt":   "steam\thttp-agent\tValve/*\tclient\n",
		"ports.txt":        "steam\tudp/27000-27100\tanywhere\t-\nzoom\tudp/8801\tnetwork\tmedia\n",
	} {
		dir[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return dir
}

func TestParseCatalogueMistakes(t *testing.T) {
	tests := []struct {
		name, file, text, want string
	}{
		{"missing column", "categories.txt", "games\n", "categories.txt:1: 1 columns, want 2"},
		{"padded column", "categories.txt", "games\t Games\n", `categories.txt:1: column " Games" is empty or padded`},
		{"bad tag", "categories.txt", "Games\tGames\n", `categories.txt:1: bad tag "Games"`},
		{"unsorted", "categories.txt", "web\tWeb\ngames\tGames\n", "categories.txt:2: out of order or repeated: games"},
		{"comment counts as a line", "categories.txt", "# a\nweb\tWeb\nweb\tWeb\n", "categories.txt:3: out of order or repeated: web"},
		{"unknown category", "applications.txt", "zoom\tmail\tZoom\tMeetings\n", `applications.txt:1: unknown category "mail"`},
		{"nothing to recognise", "applications.txt", "steam\tgames\tSteam\tStore\nthrow\tweb\tThrow\tNothing\nzoom\tweb\tZoom\tMeetings\n", "applications.txt: throw has no domain, network, port, signature or protocol"},
		{"brand of unknown application", "brands.txt", "skype\tzoom\n", `brands.txt:1: unknown application "skype"`},
		{"unknown brand", "brands.txt", "zoom\tskype\n", `brands.txt:1: unknown brand "skype"`},
		{"part of itself", "brands.txt", "zoom\tzoom\n", "brands.txt:1: zoom is part of itself"},
		{"brand that is part of another", "brands.txt", "steam\tzoom\nzoom\tsteam\n", "brands.txt:2: steam is itself part of zoom"},
		{"part of two", "brands.txt", "zoom\tsteam\nzoom\tsteam\n", "brands.txt:2: out of order or repeated: zoom"},
		{"protocol of unknown category", "protocols.txt", "http\tmail\t-\t-\tHTTP\n", `protocols.txt:1: unknown category "mail"`},
		{"protocol of unknown application", "protocols.txt", "http\tweb\tskype\t-\tHTTP\n", `protocols.txt:1: unknown application "skype"`},
		{"port with two owners", "protocols.txt", "http\tweb\t-\ttcp/80\tHTTP\nhttp2\tweb\t-\ttcp/79-81\tHTTP/2\n", "protocols.txt:2: tcp/80 belongs to http already"},
		{"domain of unknown application", "domains.txt", "skype\tskype.com\n", `domains.txt:1: unknown application "skype"`},
		{"suffix with two owners", "domains.txt", "steam\tzoom.us\nzoom\tzoom.us\n", "domains.txt:2: suffix zoom.us belongs to steam already"},
		{"top-level suffix", "domains.txt", "zoom\tus\n", `domains.txt:1: bad suffix "us"`},
		{"upper-case suffix", "domains.txt", "zoom\tZoom.us\n", `domains.txt:1: bad suffix "Zoom.us", want "zoom.us"`},
		{"suffix with a leading dot", "domains.txt", "zoom\t.zoom.us\n", `domains.txt:1: bad label "" in suffix ".zoom.us"`},
		{"prefix with host bits", "networks.txt", "zoom\t3.7.35.1/25\n", "networks.txt:1: prefix 3.7.35.1/25 is not canonical, want 3.7.35.0/25"},
		{"not a prefix", "networks.txt", "zoom\t3.7.35.0\n", `networks.txt:1: bad prefix "3.7.35.0"`},
		{"IPv6 before IPv4", "networks.txt", "zoom\t2620:123:2000::/40\nzoom\t3.7.35.0/25\n", "networks.txt:2: out of order or repeated: zoom 3.7.35.0/25"},
		{"prefix with two owners", "networks.txt", "steam\t3.7.35.0/25\nzoom\t3.7.35.0/25\n", "networks.txt:2: prefix 3.7.35.0/25 belongs to steam already"},
		{"port without transport", "ports.txt", "zoom\t8801\tnetwork\tmedia\n", `ports.txt:1: bad port range "8801"`},
		{"port backwards", "ports.txt", "zoom\tudp/8802-8801\tnetwork\tmedia\n", `ports.txt:1: bad port range "udp/8802-8801"`},
		{"port too large", "ports.txt", "zoom\tudp/65536\tnetwork\tmedia\n", `ports.txt:1: bad port range "udp/65536"`},
		{"needs a network it has not", "ports.txt", "steam\tudp/27000\tnetwork\t-\n", "ports.txt:1: steam needs a network but has none"},
		{"signature of unknown application", "signatures.txt", "skype\thttp-agent\tSkype\tclient\n", `signatures.txt:1: unknown application "skype"`},
		{"unknown place", "signatures.txt", "steam\thttp\tValve/*\tclient\n", `signatures.txt:1: unknown place "http", want one of cert-issuer, cert-subject, dns-name, http-agent, http-path, stun-realm, stun-software`},
		{"resolver that is none", "signatures.txt", "zoom\tdns-name\tdns.zoom.us\t-\n", `signatures.txt:1: zoom is of category "web", and answers to DNS are of "dns-over-https"`},
		{"short signature", "signatures.txt", "steam\thttp-agent\tVal*\tclient\n", `signatures.txt:1: "Val*" is too short to be one product's`},
		{"signature with two owners", "signatures.txt", "steam\thttp-agent\tValve/*\tclient\nzoom\thttp-agent\tValve/*\tclient\n", "signatures.txt:2: http-agent Valve/* belongs to steam already"},
		{"unsorted signatures", "signatures.txt", "steam\thttp-path\t/depot\tclient\nsteam\thttp-agent\tValve/*\tclient\n", "signatures.txt:2: out of order or repeated: steam http-agent Valve/*"},
		{"needs a brand it has not", "ports.txt", "steam\tudp/27000\tbrand\t-\n", "ports.txt:1: steam needs a brand but is part of none"},
		{"neither network nor anywhere", "ports.txt", "zoom\tudp/8801\tyes\tmedia\n", `ports.txt:1: "yes" is neither network, brand nor anywhere`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := smallCatalogue()
			dir[tt.file].Data = []byte(tt.text)
			cat, err := Read(dir)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got error %v, want %q", err, tt.want)
			}
			if cat != nil {
				t.Error("a catalogue came with the error")
			}
		})
	}
}

func TestBrands(t *testing.T) {
	dir := smallCatalogue()
	dir["applications.txt"].Data = []byte("skype\tweb\tSkype\tCalls\nsteam\tgames\tSteam\tStore\nzoom\tweb\tZoom\tMeetings\n")
	dir["domains.txt"].Data = []byte("skype\tskype.com\n")
	dir["brands.txt"].Data = []byte("skype\tzoom\n")
	cat, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := cat.Applications[0]; got.Brand != "zoom" || got.BrandTag() != "zoom" {
		t.Errorf("skype is part of %q, want zoom", got.Brand)
	}
	if got := cat.Applications[1]; got.Brand != "" || got.BrandTag() != "steam" {
		t.Errorf("the brand of steam is %q, want its own", got.BrandTag())
	}
	dir["brands.txt"].Data = []byte("skype\tzoom\nzoom\tsteam\n")
	if _, err := Read(dir); err == nil || err.Error() != "brands.txt:2: zoom has parts of its own" {
		t.Errorf("got error %v for a brand that becomes a part", err)
	}
	delete(dir, "brands.txt") // as older catalogues are
	if _, err := Read(dir); err != nil {
		t.Errorf("a catalogue without brands: %v", err)
	}
}

// TestTablesAreComplete holds the embedded directory to the tables, so
// that no file is added that nobody reads.
func TestTablesAreComplete(t *testing.T) {
	files, err := fs.Glob(embedded, "catalog/*")
	if err != nil {
		t.Fatal(err)
	}
	want := "catalog/applications.txt catalog/brands.txt catalog/categories.txt catalog/domains.txt catalog/networks.txt catalog/ports.txt catalog/protocols.txt catalog/signatures.txt"
	if got := strings.Join(files, " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
