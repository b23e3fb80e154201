package lang

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/lang/diag/diagtest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestFiles parses each file of testdata. What is expected to be wrong stands in
// the file, the folder says how wrong it may be, and the golden beside it shows
// the diagnostics, or the policy when there are none.
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
	p, diags := Parse(sources, Options{})
	diagtest.Check(t, sources, diags)
	if got, want := diags.HasErrors(), strings.Contains(file, "/error/"); got != want {
		t.Errorf("errors: got %v, want %v", got, want)
	}
	text := diagtest.Text(sources, diags)
	if len(diags) == 0 {
		data, err := json.MarshalIndent(withoutRanges(t, p), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		text = string(data) + "\n"
	}
	golden(t, strings.TrimSuffix(file, PolicySuffix)+".golden", text)
}

// withoutRanges is the policy as JSON values without their places.
func withoutRanges(t *testing.T, p *Policy) any {
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	var strip func(any)
	strip = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			delete(v, "Range")
			for _, e := range v {
				strip(e)
			}
		case []any:
			for _, e := range v {
				strip(e)
			}
		}
	}
	strip(v)
	return v
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
