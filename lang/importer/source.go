package importer

import (
	"sort"
	"unicode/utf8"

	"github.com/netpol/netpol/lang/diag"
)

// Source turns byte offsets of a text into places.
type Source struct {
	name  string
	text  []byte
	lines []int // offset of the first byte of each line
}

// NewSource indexes the lines of a text.
func NewSource(name string, text []byte) *Source {
	s := &Source{name: name, text: text, lines: []int{0}}
	for i, c := range text {
		if c == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// Range is the place of text[from:to]; offsets outside are moved inside.
func (s *Source) Range(from, to int) diag.Range {
	from = max(0, min(from, len(s.text)))
	to = max(from, min(to, len(s.text)))
	return diag.Range{Filename: s.name, Start: s.pos(from), End: s.pos(to)}
}

func (s *Source) pos(offset int) diag.Pos {
	line := sort.Search(len(s.lines), func(i int) bool { return s.lines[i] > offset }) - 1
	column := utf8.RuneCount(s.text[s.lines[line]:offset]) + 1
	return diag.Pos{Line: line + 1, Column: column, Byte: offset}
}
