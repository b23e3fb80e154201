package daemon

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
)

// TestCodesAreDocumented holds the table of docs/operations.md, in which people
// look up what netpol status shows, to the codes that are shown.
func TestCodesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, kind := range artifact.FaultKinds() {
		codes = append(codes, "set-"+string(kind))
	}
	code := regexp.MustCompile(`\b[cC]ode: +"([a-z-]+)"`)
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(sources, "../../netpol/internal/cli/show.go") {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range code.FindAllSubmatch(source, -1) {
			if string(m[1]) != "set-" {
				codes = append(codes, string(m[1]))
			}
		}
	}
	if len(codes) < 20 {
		t.Fatalf("found %d codes in the source", len(codes))
	}
	rows := regexp.MustCompile(`(?m)^\|.*`).FindAll(page, -1)
	for _, c := range codes {
		named := func(row []byte) bool {
			first, _, _ := bytes.Cut(row[1:], []byte("|"))
			return bytes.Contains(first, []byte("`"+c+"`"))
		}
		if !slices.ContainsFunc(rows, named) {
			t.Errorf("docs/operations.md has no row for %s", c)
		}
	}
}
