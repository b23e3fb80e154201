package importer

import (
	"sort"
	"unicode/utf8"

	"github.com/netpol/netpol/lang/diag"
)

// mark is the distance of the places whose column is known: a file may be one
// line of a megabyte, with thousands of findings in it.
const mark = 1 << 10

// Source turns byte offsets of a text into places.
type Source struct {
	name  string
	text  []byte
	lines []int // offset of the first byte of each line
	marks []int // characters before every mark-th byte of the text
}

// NewSource indexes the lines of a text.
func NewSource(name string, text []byte) *Source {
	s := &Source{name: name, text: text, lines: []int{0}}
	characters := 0
	for i, c := range text {
		if i%mark == 0 {
			s.marks = append(s.marks, characters)
		}
		if utf8.RuneStart(c) {
			characters++
		}
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
	return diag.Pos{Line: line + 1, Column: s.characters(offset) - s.characters(s.lines[line]) + 1, Byte: offset}
}

// characters counts the characters that begin before an offset.
func (s *Source) characters(offset int) int {
	if len(s.marks) == 0 {
		return 0
	}
	i := min(offset/mark, len(s.marks)-1)
	n := s.marks[i]
	for _, c := range s.text[i*mark : offset] {
		if utf8.RuneStart(c) {
			n++
		}
	}
	return n
}
