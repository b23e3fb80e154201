package lint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/netpol/netpol/lang"
)

// wanted is a marker on the line that a finding is about, "# WANT never-true",
// or on the line above it, "# NEXT never-true".
var wanted = regexp.MustCompile(`# (WANT|NEXT) ([a-z-]+)`)

// TestSeededFaults lints real-looking policy sets: in testdata/seeded every
// fault is marked on its line and nothing else may be found, be it a note; in
// testdata/good nothing may be found at all.
func TestSeededFaults(t *testing.T) {
	faults := 0
	for _, dir := range []string{"seeded", "good"} {
		paths, err := filepath.Glob(filepath.Join("testdata", dir, "*.netpol.hcl"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no policy sets in %s: %v", dir, err)
		}
		for _, path := range paths {
			t.Run(filepath.Base(path), func(t *testing.T) {
				src, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				want := marks(src)
				faults += len(want)
				if (dir == "good") != (len(want) == 0) {
					t.Errorf("%d faults are marked", len(want))
				}
				in := input(t, map[string][]byte{filepath.Base(path): src})
				for _, f := range run(t, in).Findings {
					mark := fmt.Sprintf("%d %s", f.Subject.Start.Line, f.Rule.Slug)
					if i := slices.Index(want, mark); i >= 0 {
						want = slices.Delete(want, i, i+1)
						continue
					}
					t.Errorf("false alarm: line %s: %s %v", mark, f.Detail, f.Witness)
				}
				for _, w := range want {
					t.Errorf("not found: line %s", w)
				}
			})
		}
	}
	if faults < 40 {
		t.Errorf("%d faults are marked, want at least 40", faults)
	}
}

func marks(src []byte) []string {
	var out []string
	for i, line := range strings.Split(string(src), "\n") {
		for _, m := range wanted.FindAllStringSubmatch(line, -1) {
			number := i + 1
			if m[1] == "NEXT" {
				number++
			}
			out = append(out, fmt.Sprintf("%d %s", number, m[2]))
		}
	}
	return out
}

// TestExamplesAreClean lints what the project ships: not even a note.
func TestExamplesAreClean(t *testing.T) {
	dirs, err := filepath.Glob("../../policies/examples/*")
	if err != nil || len(dirs) < 4 {
		t.Fatalf("examples: got %d, %v", len(dirs), err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			files := map[string][]byte{}
			paths, err := filepath.Glob(filepath.Join(dir, "*"+lang.PolicySuffix))
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range paths {
				if files[filepath.Base(path)], err = os.ReadFile(path); err != nil {
					t.Fatal(err)
				}
			}
			in := input(t, files)
			for _, f := range run(t, in).Findings {
				t.Errorf("%s %s: %s", f.Subject, f.Rule.Slug, f.Detail)
			}
		})
	}
}
