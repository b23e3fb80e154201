package lint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/netpol/netpol/compiler/lint"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
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
		paths, err := filepath.Glob(filepath.Join("testdata", dir, "*"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no policy sets in %s: %v", dir, err)
		}
		for _, path := range paths {
			t.Run(filepath.Base(path), func(t *testing.T) {
				files := setOf(t, path)
				want := marks(files)
				faults += len(want)
				if (dir == "good") != (len(want) == 0) {
					t.Errorf("%d faults are marked", len(want))
				}
				for _, f := range run(t, input(t, files)).Findings {
					mark := fmt.Sprintf("%s:%d %s", f.Subject.Filename, f.Subject.Start.Line, f.Rule.Slug)
					if i := slices.Index(want, mark); i >= 0 {
						want = slices.Delete(want, i, i+1)
						continue
					}
					if dir == "good" && expectedNote(f) {
						continue
					}
					t.Errorf("false alarm: %s: %s %v", mark, f.Detail, f.Witness)
				}
				for _, w := range want {
					t.Errorf("not found: %s", w)
				}
			})
		}
	}
	if faults < 40 {
		t.Errorf("%d faults are marked, want at least 40", faults)
	}
}

// expectedNote says that a finding is one of those notes that good policies have
// as well: a block of an application that says nothing of evidence, or of what
// kind of applications.
func expectedNote(f lint.Finding) bool {
	return f.Severity == diag.Note && (f.Rule.Slug == "unproven-block" || f.Rule.Slug == "whole-category-block")
}

// setOf reads a policy set: one file, or a txtar archive of several.
func setOf(t *testing.T, path string) map[string][]byte {
	t.Helper()
	if strings.HasSuffix(path, lang.PolicySuffix) {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return map[string][]byte{filepath.Base(path): src}
	}
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range archive.Files {
		files[f.Name] = f.Data
	}
	return files
}

func marks(files map[string][]byte) []string {
	var out []string
	for name, src := range files {
		for i, line := range strings.Split(string(src), "\n") {
			for _, m := range wanted.FindAllStringSubmatch(line, -1) {
				number := i + 1
				if m[1] == "NEXT" {
					number++
				}
				out = append(out, fmt.Sprintf("%s:%d %s", name, number, m[2]))
			}
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
