package classify

import (
	"strings"
	"testing"
)

// FuzzSuffix holds the table to the plain way of looking up.
func FuzzSuffix(f *testing.F) {
	owned := map[string]uint16{"zoom.us": 1, "blog.zoom.us": 2, "co.uk": 3, "a.b.c.d.e.example": 4}
	var entries []suffixEntry
	for s, app := range owned {
		entries = append(entries, suffixEntry{s, app})
	}
	table, err := newSuffixTable(entries)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"", ".", "us", "zoom.us", ".zoom.us", "x.zoom.us.", "x..zoom.us", "notzoom.us", "ZOOM.US", "q.a.b.c.d.e.example", strings.Repeat("a.", 200) + "zoom.us"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, host string) {
		got, ok := table.lookup(host)
		name := strings.TrimSuffix(host, ".")
		var want uint16
		var wantOK bool
		if len(name) <= maxHostname {
			for rest, more := name, true; more && !wantOK; _, rest, more = strings.Cut(rest, ".") {
				want, wantOK = owned[asciiLower(rest)]
			}
		}
		if got != want || ok != wantOK {
			t.Errorf("%q: got %d %v, want %d %v", host, got, ok, want, wantOK)
		}
	})
}

func asciiLower(s string) string {
	b := []byte(s)
	for i := range b {
		b[i] = lower(b[i])
	}
	return string(b)
}
