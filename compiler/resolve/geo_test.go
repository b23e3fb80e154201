package resolve

import (
	"os"
	"strings"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
)

// TestGeo: asn and country end in the networks that a file has for them.
func TestGeo(t *testing.T) {
	sample, err := os.ReadFile("../../policies/geo/testdata/sample.mmdb")
	if err != nil {
		t.Fatal(err)
	}
	const both = `netpol {
  asn_database     = "./geo/asn.mmdb"
  country_database = "./geo/country.mmdb"
}
`
	tests := []struct {
		name, netpol, criteria string
		want                   string // the condition's networks, or part of a message
	}{
		{"system", both, "asn == 64500", "192.0.2.0/24"},
		{"systems", both, "asn in [64500, 64501]", "192.0.2.0/24 198.51.100.0/24"},
		{"country", both, "country == 'de'", "198.51.100.0/24 203.0.113.0/24 2001:db8::/32"},
		{"none of them", both, "asn == 1", "The file has no network of AS1."},
		{"no file", "", "asn == 64500", "the set names none"},
		{"no file of countries", "netpol { asn_database = \"./geo/asn.mmdb\" }\n", "country == 'DE'", "the set names none"},
		{"missing file", "netpol { asn_database = \"./geo/other.mmdb\" }\n", "asn == 64500", "There is no file geo/other.mmdb"},
		{"file of another kind", "netpol { asn_database = \"./geo/text.mmdb\" }\n", "asn == 64500", "no MaxMind DB"},
		{"outside", "netpol { asn_database = \"/usr/share/GeoIP/asn.mmdb\" }\n", "asn == 64500", "it is a path from the file's own directory"},
		{"number of a country", both, "country == 49", "two letters of ISO 3166-1"},
		{"name of a country", both, "country == 'Germany'", "two letters of ISO 3166-1"},
		{"name of a system", both, "asn == 'Google'", "numbers of autonomous systems"},
		{"order", both, "asn > 64500", "> does not work on it"},
		{"arithmetic", both, "asn + 1 == 64500", "compared with constants only"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, diags := lang.Parse(map[string][]byte{
				"a.netpol.hcl":     []byte(tt.netpol + "policy \"p\" {\n  criteria = \"" + tt.criteria + "\"\n  label = \"p\"\n}\n"),
				"geo/asn.mmdb":     sample,
				"geo/text.mmdb":    []byte("no such file"),
				"geo/country.mmdb": sample,
			}, lang.Options{})
			resolved, more := Resolve(set, &artifact.Catalogue{})
			diags.Extend(more)
			if got := diags.Error(); strings.Contains(got, tt.want) {
				return
			}
			if len(resolved.Policies) != 1 {
				t.Fatalf("got %v, want %q", diags, tt.want)
			}
			c, ok := resolved.Policies[0].Cond.(*ir.Compare)
			if !ok || c.Attr.Name != "other_ip" {
				t.Fatalf("got %v", resolved.Policies[0].Cond)
			}
			var got []string
			for _, p := range c.Prefixes {
				got = append(got, p.String())
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
