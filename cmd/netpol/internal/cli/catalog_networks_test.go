package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCatalogNetworks(t *testing.T) {
	sample := filepath.FromSlash("../../../../policies/geo/testdata/sample.mmdb")
	tests := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"a country", []string{"--country", "de", sample}, 0, "# Networks of DE, by sample.mmdb (Test).\n198.51.100.0/24\n203.0.113.0/24\n2001:db8::/32\n"},
		{"systems, joined", []string{"--asn", "64500,AS64501", sample}, 0, "# Networks of AS64500, AS64501, by sample.mmdb (Test).\n192.0.2.0/24\n198.51.100.0/24\n"},
		{"nothing asked", []string{sample}, 1, "say which networks"},
		{"nothing found", []string{"--asn", "1", sample}, 1, "has no network of AS1"},
		{"no number", []string{"--asn", "x", sample}, 1, `--asn "x": write a number`},
		{"no code", []string{"--country", "Germany", sample}, 1, `--country "Germany": write two letters`},
		{"no such format", []string{"--asn", "1", "catalog_networks_test.go"}, 1, "no MaxMind DB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := Run(t.Context(), append([]string{"catalog", "networks"}, tt.args...), Streams{In: os.Stdin, Out: &out, Err: &errs})
			got := out.String()
			if tt.code != 0 {
				got = errs.String()
			}
			if code != tt.code || tt.code == 0 && got != tt.want || !strings.Contains(got, tt.want) {
				t.Errorf("exit %d, %q, want %d, %q", code, got, tt.code, tt.want)
			}
		})
	}
	out := filepath.Join(t.TempDir(), "de.txt")
	if code := Run(t.Context(), []string{"catalog", "networks", "--country", "DE", "--out", out, sample}, Streams{In: os.Stdin, Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}); code != 0 {
		t.Fatalf("exit %d", code)
	}
	if text, err := os.ReadFile(out); err != nil || strings.Count(string(text), "\n") != 4 {
		t.Errorf("got %q, %v, want four lines", text, err)
	}
}
