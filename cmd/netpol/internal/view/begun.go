package view

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// Begun is a repository that init wrote.
type Begun struct {
	Dir      string   `json:"directory"`
	Policies string   `json:"policies"`
	Files    []string `json:"files"`
}

// BegunRepository says what was written and what to do next.
func BegunRepository(w io.Writer, b Begun, asJSON bool) error {
	slices.Sort(b.Files)
	if asJSON {
		return writeJSON(w, struct {
			FormatVersion string `json:"format_version"`
			Type          string `json:"type"` // repository_begun
			Begun
		}{FormatVersion, "repository_begun", b})
	}
	var text strings.Builder
	for _, name := range b.Files {
		text.WriteString("Wrote " + cleanLine(filepath.Join(b.Dir, name)) + "\n")
	}
	check, isTest := "lint", func(name string) bool { return strings.HasSuffix(name, ".nptest.hcl") }
	if slices.ContainsFunc(b.Files, isTest) {
		check = "test"
	}
	fmt.Fprintf(&text, "\nNext: netpol validate %s, netpol %s %[1]s, and git init.\n", cleanLine(b.Policies), check)
	_, err := io.WriteString(w, text.String())
	return err
}
