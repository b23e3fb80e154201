package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/netpol/netpol/cmd/netpol/internal/cli"
	"github.com/netpol/netpol/lang"
)

// TestDocumentedTestsPass runs the tests of docs/testing.md under the policies
// of that page.
func TestDocumentedTestsPass(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "testing.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := map[string]string{}
	for _, e := range examples(string(page)) {
		name := "main" + lang.PolicySuffix
		if strings.HasPrefix(e.text, "test ") {
			name = "main" + lang.TestSuffix
		}
		files[name] += e.text + "\n"
	}
	capture, err := tlsCapture("us04web.zoom.us", "www.example.org")
	if err != nil {
		t.Fatal(err)
	}
	files["call.pcap"] = string(capture)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	code := cli.Run(t.Context(), []string{"test", dir}, cli.Streams{In: os.Stdin, Out: &out, Err: &errs})
	if code != 0 || strings.Count(out.String(), "PASS ") < 5 {
		t.Errorf("exit code %d, want 0 and at least 5 tests passed\n%s%s", code, out.String(), errs.String())
	}
}
