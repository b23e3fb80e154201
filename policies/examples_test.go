package policies_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/policies"
)

// TestExamplesCompile compiles each directory of examples without a remark.
func TestExamplesCompile(t *testing.T) {
	cat, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	dirs, err := os.ReadDir("examples")
	if err != nil {
		t.Fatal(err)
	}
	if len(dirs) < 4 {
		t.Errorf("%d examples, want at least 4", len(dirs))
	}
	for _, dir := range dirs {
		t.Run(dir.Name(), func(t *testing.T) {
			set, diags := lang.ParseDir(filepath.Join("examples", dir.Name()), lang.Options{})
			for _, d := range diags {
				t.Errorf("%s: %s: %s", d.Subject, d.Summary, d.Detail)
			}
			if t.Failed() {
				return
			}
			bundle, diags := compiler.Compile(set, compiler.Options{Catalogue: cat})
			for _, d := range diags {
				t.Errorf("%s: %s: %s", d.Subject, d.Summary, d.Detail)
			}
			if bundle == nil || len(bundle.Policies) == 0 {
				t.Error("no policy came out")
			}
		})
	}
}
