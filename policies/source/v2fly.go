package source

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxIncludes bounds how many files one v2fly list may pull in; the largest of
// the public lists includes some hundreds.
const maxIncludes = 4096

// v2flyFile reads one list and those it includes, all as one application.
func (r *reader) v2flyFile(path, text string) error {
	seen := map[string]bool{filepath.Base(path): true}
	return r.v2fly(path, text, r.tag, seen)
}

// v2flyDir reads a directory of lists, each as the application of its name.
// Includes are not followed: what is included has an application of its own.
func (r *reader) v2flyDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		path := filepath.Join(dir, e.Name())
		data, err := readFile(path)
		if err != nil {
			return err
		}
		tag := Tag(e.Name())
		if tag == "" {
			continue
		}
		if err := r.v2fly(path, string(data), tag, nil); err != nil {
			return err
		}
	}
	return nil
}

// v2fly reads the rows of a list:
//
//	[domain:]NAME, full:NAME [@attribute ...] [&list ...]
//	include:LIST [@attribute | @-attribute ...]
//	keyword:TEXT, regexp:TEXT
//
// A catalogue's suffix holds for the name and all below it, so full is read as
// domain. Keywords and patterns are skipped. seen holds the lists included so
// far; nil leaves includes alone.
func (r *reader) v2fly(path, text, tag string, seen map[string]bool) error {
	var errs []error
	rows(path, text, func(at row) {
		fields := strings.Fields(at.text)
		kind, value, ok := strings.Cut(fields[0], ":")
		if !ok {
			kind, value = "domain", fields[0]
		}
		switch kind {
		case "domain", "full":
			r.domain(at, tag, value)
		case "include":
			if seen != nil {
				errs = append(errs, r.include(at, value, fields[1:], tag, seen))
			}
		case "keyword", "regexp":
			r.skip(at, "a catalogue has no keywords and patterns")
		default:
			r.skip(at, fmt.Sprintf("unknown kind %q", kind))
		}
	})
	return errors.Join(errs...)
}

// include reads another list of the same directory. Where the include asks for
// attributes, only rows that have them (or lack them, behind @-) count.
func (r *reader) include(at row, name string, attributes []string, tag string, seen map[string]bool) error {
	if name == "" || name != filepath.Base(name) || strings.HasPrefix(name, ".") {
		r.skip(at, "a list is included by its name alone")
		return nil
	}
	key := name + " " + strings.Join(attributes, " ")
	if seen[key] || seen[name] {
		return nil
	}
	if len(seen) >= maxIncludes {
		return fmt.Errorf("%s:%d: more than %d lists are included", at.file, at.line, maxIncludes)
	}
	seen[key] = true
	if len(attributes) == 0 {
		seen[name] = true
	}
	path := filepath.Join(filepath.Dir(at.file), name)
	data, err := readFile(path)
	if err != nil {
		return fmt.Errorf("%s:%d: include %s: %w", at.file, at.line, name, err)
	}
	return r.v2fly(path, filterAttributes(string(data), attributes), tag, seen)
}

// filterAttributes blanks the rows that an include's attributes leave out.
func filterAttributes(text string, wanted []string) string {
	if len(wanted) == 0 {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		has := strings.Fields(line)
		for _, w := range wanted {
			without, not := strings.CutPrefix(w, "@-")
			if not && slices.Contains(has, "@"+without) || !not && strings.HasPrefix(w, "@") && !slices.Contains(has, w) {
				line = "\n" // keeps the numbers of the lines
				break
			}
		}
		b.WriteString(line)
	}
	return b.String()
}
