package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/policies"
)

// documents are the pages whose HCL examples must compile.
var documents = []string{"README.md", "docs/language.md", "docs/architecture.md", "docs/operations.md", "docs/telemetry.md"}

// example is one fenced ```hcl block.
type example struct {
	line int // of the fence
	text string
}

func TestDocumentedPoliciesCompile(t *testing.T) {
	catalogue, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range documents {
		page, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range examples(string(page)) {
			found++
			t.Run(fmt.Sprintf("%s:%d", name, e.line), func(t *testing.T) {
				set, diags := lang.Parse(map[string][]byte{"example" + lang.PolicySuffix: []byte(e.text)}, lang.Options{})
				if diags.HasErrors() {
					t.Fatal(diags)
				}
				if _, diags = compiler.Compile(set, compiler.Options{Catalogue: catalogue}); diags.HasErrors() {
					t.Fatal(diags)
				}
			})
		}
	}
	if found < 10 {
		t.Errorf("got %d examples in the documentation, want at least 10: are the fences still ```hcl?", found)
	}
}

func examples(page string) []example {
	var out []example
	inside := false
	for i, line := range strings.Split(page, "\n") {
		switch {
		case inside && line == "```":
			inside = false
		case inside:
			out[len(out)-1].text += line + "\n"
		case line == "```hcl":
			inside = true
			out = append(out, example{line: i + 1})
		}
	}
	return out
}
