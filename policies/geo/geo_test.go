package geo

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// writer makes files in the format, from the specification.
type writer struct {
	record, version int
	nodes           [][2]int // a child: -1 nothing, below -1 data, else a node
	data            bytes.Buffer
}

func newWriter(record, version int) *writer {
	return &writer{record: record, version: version, nodes: [][2]int{{-1, -1}}}
}

// str, num and dict encode fields.
func str(s string) []byte {
	if len(s) >= 29 {
		return append([]byte{2<<5 | 29, byte(len(s) - 29)}, s...)
	}
	return append([]byte{byte(2<<5 | len(s))}, s...)
}

func num(n uint32) []byte {
	b := bytes.TrimLeft(binary.BigEndian.AppendUint32(nil, n), "\x00")
	return append([]byte{byte(6<<5 | len(b))}, b...)
}

func dict(m map[string][]byte) []byte {
	b := []byte{byte(7<<5 | len(m))}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		b = append(append(b, str(k)...), m[k]...)
	}
	return b
}

// put hangs data below a prefix and returns where the data is.
func (w *writer) put(prefix string, data []byte) int {
	offset := w.data.Len()
	w.data.Write(data)
	w.link(prefix, -2-offset)
	return offset
}

func (w *writer) link(prefix string, target int) {
	p := netip.MustParsePrefix(prefix)
	address, bits := p.Addr().AsSlice(), p.Bits()
	if p.Addr().Is4() && w.version == 6 {
		address, bits = append(make([]byte, 12), address...), bits+96
	}
	node := 0
	for i := range bits {
		bit := address[i/8] >> (7 - i%8) & 1
		if i == bits-1 {
			w.nodes[node][bit] = target
			return
		}
		if w.nodes[node][bit] < 0 {
			w.nodes = append(w.nodes, [2]int{-1, -1})
			w.nodes[node][bit] = len(w.nodes) - 1
		}
		node = w.nodes[node][bit]
	}
}

// node is the number of the node below a prefix of zeros.
func (w *writer) zeros(bits int) int {
	node := 0
	for range bits {
		node = w.nodes[node][0]
	}
	return node
}

func (w *writer) bytes() []byte {
	var out bytes.Buffer
	for _, n := range w.nodes {
		var v [2]uint32
		for i, c := range n {
			switch {
			case c == -1:
				v[i] = uint32(len(w.nodes))
			case c < -1:
				v[i] = uint32(len(w.nodes) + 16 - 2 - c)
			default:
				v[i] = uint32(c)
			}
		}
		switch w.record {
		case 24:
			out.Write([]byte{byte(v[0] >> 16), byte(v[0] >> 8), byte(v[0]), byte(v[1] >> 16), byte(v[1] >> 8), byte(v[1])})
		case 28:
			out.Write([]byte{byte(v[0] >> 16), byte(v[0] >> 8), byte(v[0]), byte(v[0]>>24)<<4 | byte(v[1]>>24), byte(v[1] >> 16), byte(v[1] >> 8), byte(v[1])})
		default:
			out.Write(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, v[0]), v[1]))
		}
	}
	out.Write(make([]byte, 16))
	out.Write(w.data.Bytes())
	out.WriteString(marker)
	out.Write(dict(map[string][]byte{
		"binary_format_major_version": num(2), "node_count": num(uint32(len(w.nodes))), "record_size": num(uint32(w.record)),
		"ip_version": num(uint32(w.version)), "database_type": str("Test"), "description": dict(map[string][]byte{"en": str("made by a test that says more than a few words")}),
	}))
	return out.Bytes()
}

// sample is a file with each way in which files write what is read.
func sample(record, version int) []byte {
	w := newWriter(record, version)
	first := w.put("192.0.2.0/25", dict(map[string][]byte{"autonomous_system_number": num(64500), "autonomous_system_organization": str("Example Networks, in full Ltd")}))
	w.put("192.0.2.128/25", []byte{1 << 5, byte(first)}) // a pointer to the same
	w.put("198.51.100.0/24", dict(map[string][]byte{"asn": str("AS64501"), "country": str("de"), "names": dict(map[string][]byte{"en": str("x")})}))
	w.put("203.0.113.0/24", dict(map[string][]byte{"continent": dict(map[string][]byte{"code": str("EU")}), "country": dict(map[string][]byte{"geoname_id": num(7), "iso_code": str("DE")})}))
	if version == 6 {
		w.put("2001:db8::/32", dict(map[string][]byte{"country_code": str("DE")}))
		w.link("2002::/16", w.zeros(96)) // 6to4: IPv4 once more
	}
	return w.bytes()
}

var update = flag.Bool("update", false, "rewrite testdata")

// TestSampleFile keeps the file that the tests of netpol catalog networks read.
func TestSampleFile(t *testing.T) {
	const path = "testdata/sample.mmdb"
	want := sample(24, 6)
	if *update {
		if err := os.WriteFile(path, want, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the test makes; rewrite it with -update", path)
	}
	db, err := Open(path)
	if err != nil || db.Kind() != "Test" {
		t.Errorf("open: %v, kind %q", err, db.Kind())
	}
}

func TestLookup(t *testing.T) {
	for _, record := range []int{24, 28, 32} {
		for _, version := range []int{4, 6} {
			db, err := Parse(sample(record, version))
			if err != nil {
				t.Fatal(err)
			}
			tests := []struct {
				address, network string
				want             Record
			}{
				{"192.0.2.1", "192.0.2.0/25", Record{ASN: 64500, Organization: "Example Networks, in full Ltd"}},
				{"192.0.2.200", "192.0.2.128/25", Record{ASN: 64500, Organization: "Example Networks, in full Ltd"}},
				{"::ffff:198.51.100.7", "198.51.100.0/24", Record{ASN: 64501, Country: "DE"}},
				{"203.0.113.255", "203.0.113.0/24", Record{Country: "DE"}},
				{"203.0.114.1", "", Record{}},
				{"2001:db8::1", map[int]string{4: "", 6: "2001:db8::/32"}[version], map[int]Record{6: {Country: "DE"}}[version]},
				{"2001:db9::1", "", Record{}},
			}
			for _, tt := range tests {
				t.Run(fmt.Sprint(record, "/IPv", version, "/", tt.address), func(t *testing.T) {
					got, network, ok := db.Lookup(netip.MustParseAddr(tt.address))
					if ok != (tt.network != "") || got != tt.want || ok && network.String() != tt.network {
						t.Errorf("got %+v in %v, %v, want %+v in %s", got, network, ok, tt.want, tt.network)
					}
				})
			}
		}
	}
}

func TestNetworks(t *testing.T) {
	tests := []struct {
		name    string
		version int
		keep    func(Record) bool
		want    []string
	}{
		{"an autonomous system, joined", 6, func(r Record) bool { return r.ASN == 64500 }, []string{"192.0.2.0/24"}},
		{"a country", 6, func(r Record) bool { return r.Country == "DE" }, []string{"198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"}},
		{"a country of IPv4", 4, func(r Record) bool { return r.Country == "DE" }, []string{"198.51.100.0/24", "203.0.113.0/24"}},
		{"none", 6, func(Record) bool { return false }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			db, err := Parse(sample(28, tt.version))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range db.Networks(tt.keep) {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestParseMistakes(t *testing.T) {
	good := sample(24, 6)
	at := bytes.LastIndex(good, []byte(marker))
	for name, data := range map[string][]byte{
		"nothing": nil, "no metadata": good[:at], "metadata alone": good[at:], "cut tree": good[at-20:],
		"another format": bytes.Replace(good, append(str("binary_format_major_version"), num(2)...), append(str("binary_format_major_version"), num(3)...), 1),
	} {
		if db, err := Parse(data); err == nil {
			t.Errorf("%s: got %+v, want an error", name, db)
		}
	}
}

// FuzzParse holds the reader to its promise: whatever the bytes, no panic, and
// what Networks lists, Lookup finds.
func FuzzParse(f *testing.F) {
	for _, record := range []int{24, 28, 32} {
		f.Add(sample(record, 6))
		f.Add(sample(record, 4))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		db, err := Parse(data)
		if err != nil {
			return
		}
		for _, p := range db.Networks(func(Record) bool { return true }) {
			if p != p.Masked() {
				t.Errorf("network %s is not canonical", p)
			}
		}
		for _, a := range []string{"192.0.2.1", "2001:db8::1", "255.255.255.255"} {
			if r, p, ok := db.Lookup(netip.MustParseAddr(a)); ok && (!p.Contains(netip.MustParseAddr(a)) || r == Record{}) {
				t.Errorf("%s: got %+v in %s", a, r, p)
			}
		}
	})
}
