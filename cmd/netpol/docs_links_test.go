package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestDocumentedLinksResolve follows each link of a page to another file or to a
// heading, as the forges show them.
func TestDocumentedLinksResolve(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	found := 0
	for _, name := range pages(t) {
		for i, line := range proseLines(t, name) {
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				target, anchor, _ := strings.Cut(m[1], "#")
				if strings.Contains(m[1], "://") {
					continue
				}
				found++
				path := name
				if target != "" {
					path = filepath.Join(filepath.Dir(name), target)
				}
				if _, err := os.Stat(path); err != nil {
					t.Errorf("%s:%d: %s: no such file", name, i+1, m[1])
					continue
				}
				if anchor != "" && !slices.Contains(anchors(t, path), anchor) {
					t.Errorf("%s:%d: %s: no such heading", name, i+1, m[1])
				}
			}
		}
	}
	if found < 100 {
		t.Errorf("got %d links, want at least 100: are they still written [text](target)?", found)
	}
}

// pages are the pages for people, from the root of the repository.
func pages(t *testing.T) []string {
	t.Helper()
	names := []string{filepath.Join("..", "..", "README.md")}
	for _, dir := range []string{"docs", "policies"} {
		err := filepath.WalkDir(filepath.Join("..", "..", dir), func(path string, _ fs.DirEntry, err error) error {
			if filepath.Ext(path) == ".md" {
				names = append(names, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// proseLines are a page's lines, those of fenced blocks empty.
func proseLines(t *testing.T, name string) []string {
	t.Helper()
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(page), "\n")
	inside := false
	for i, line := range lines {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		if fence {
			inside = !inside
		}
		if fence || inside {
			lines[i] = ""
		}
	}
	return lines
}

// anchors are what links may name of a page: its headings in lower case, without
// signs, with a dash for each space and a number for each repetition, and ids.
func anchors(t *testing.T, name string) []string {
	t.Helper()
	id := regexp.MustCompile(`<a id="([^"]+)"`)
	signs := regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
	var out []string
	for _, line := range proseLines(t, name) {
		if m := id.FindStringSubmatch(line); m != nil {
			out = append(out, m[1])
		}
		level, heading, ok := strings.Cut(line, " ")
		if !ok || strings.Trim(level, "#") != "" || level == "" {
			continue
		}
		slug := strings.ReplaceAll(signs.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
		again := slug
		for n := 1; slices.Contains(out, again); n++ {
			again = slug + "-" + strconv.Itoa(n)
		}
		out = append(out, again)
	}
	return out
}
