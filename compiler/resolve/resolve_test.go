package resolve

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/diag/diagtest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// catalogue is a small one; its lists are sorted as the real one's are.
func catalogue() *artifact.Catalogue {
	return &artifact.Catalogue{
		Digest:     "base",
		Categories: []artifact.Category{{Tag: "voip"}, {Tag: "web"}},
		Protocols:  []artifact.Protocol{{Tag: "quic", Category: "web"}, {Tag: "tls", Category: "web"}},
		Applications: []artifact.Application{
			{Tag: "google-drive", Name: "Google Drive", Category: "web"},
			{Tag: "google-meet", Name: "Google Meet", Category: "voip"},
			{Tag: "microsoft", Name: "Microsoft", Category: "web"},
			{Tag: "teams", Name: "Microsoft Teams", Category: "voip", Brand: "microsoft"},
			{Tag: "zoom", Name: "Zoom", Category: "voip", Domains: []string{"zoom.com", "zoom.us"}, Networks: []netip.Prefix{netip.MustParsePrefix("3.7.35.0/25")}},
		},
	}
}

// TestFiles resolves each file of testdata. What is expected to be wrong stands
// in the file; the folder says how wrong it may be; the golden beside it shows
// what comes out.
func TestFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { testFile(t, file) })
	}
}

func testFile(t *testing.T, file string) {
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string][]byte{filepath.Base(file): src}
	p, diags := lang.Parse(sources, lang.Options{})
	set, more := Resolve(p, catalogue())
	diags.Extend(more)
	diags.Sort()
	diagtest.Check(t, sources, diags)
	if got, want := diags.HasErrors(), strings.Contains(file, "/error/"); got != want {
		t.Errorf("errors: got %v, want %v", got, want)
	}
	golden(t, strings.TrimSuffix(file, ".netpol.hcl")+".golden", set.Dump()+"\n"+diagtest.Text(sources, diags))
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func resolveOne(t testing.TB, criteria string) diag.List {
	t.Helper()
	src := "policy \"p\" {\n  label = \"x\"\n  criteria = <<EOT\n" + strings.ReplaceAll(strings.ReplaceAll(criteria, "${", "$${"), "%{", "%%{") + "\nEOT\n}\n"
	p, diags := lang.Parse(map[string][]byte{"p.netpol.hcl": []byte(src)}, lang.Options{})
	_, more := Resolve(p, catalogue())
	diags.Extend(more)
	return diags
}
