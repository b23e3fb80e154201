package view

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/netpol/netpol/lang/diag"
)

const (
	// maxColumns bounds a shown source line, so that a criteria string of
	// 200 kB takes one line of a terminal.
	maxColumns = 100
	// leadColumns is how much of a longer line is kept before the caret.
	leadColumns = 30
)

// snippet is one source line and the place in it that a diagnostic speaks of.
type snippet struct {
	number int
	text   string // safe to print, at most maxColumns columns and two ellipses
	indent int    // columns before the caret
	carets int    // at least 1
}

// newSnippet cuts the line of a range out of its file. It reports false when
// the source is missing or is shorter than the range says.
func newSnippet(src []byte, rng diag.Range) (snippet, bool) {
	line, lineStart, ok := sourceLine(src, rng.Start.Line)
	if !ok {
		return snippet{}, false
	}
	all := cells(line)
	from, to := byteSpan(rng, line, lineStart)
	first, last := cellSpan(all, from, to)
	text, indent, carets := window(all, first, last)
	return snippet{number: rng.Start.Line, text: text, indent: indent, carets: max(carets, 1)}, true
}

// sourceLine finds a line by its number, counted from 1, and the byte offset
// that it starts at.
func sourceLine(src []byte, number int) (line string, start int, ok bool) {
	if number < 1 || len(src) == 0 {
		return "", 0, false
	}
	for n := 1; n < number; n++ {
		i := bytes.IndexByte(src[start:], '\n')
		if i < 0 {
			return "", 0, false
		}
		start += i + 1
	}
	end := len(src)
	if i := bytes.IndexByte(src[start:], '\n'); i >= 0 {
		end = start + i
	}
	return strings.TrimSuffix(string(src[start:end]), "\r"), start, true
}

// byteSpan is the part of the line that the range covers, as byte offsets in
// the line. A range that goes on over the next lines ends with this line.
func byteSpan(rng diag.Range, line string, lineStart int) (from, to int) {
	from = rng.Start.Byte - lineStart
	to = len(line)
	if rng.End.Line == rng.Start.Line {
		to = rng.End.Byte - lineStart
	}
	from = min(max(from, 0), len(line))
	to = min(max(to, from), len(line))
	return from, to
}

// cellSpan turns byte offsets into cell indices, half open. An empty span at
// the end of the line gives first == len(all).
func cellSpan(all []cell, from, to int) (first, last int) {
	first, last = len(all), len(all)
	for i, c := range all {
		if c.to > from {
			first = i
			break
		}
	}
	for i := first; i < len(all); i++ {
		if all[i].from >= to {
			last = i
			break
		}
	}
	return first, last
}

// window joins the cells to text and says where the carets go. A line that is
// too long is cut on both sides of the caret.
func window(all []cell, first, last int) (text string, indent, carets int) {
	start, end := 0, len(all)
	if columnsOf(all) > maxColumns {
		start = leadStart(all, first)
		end = shrink(all, start, end)
	}
	var b strings.Builder
	if start > 0 {
		b.WriteString("...")
		indent = len("...")
	}
	indent += columnsOf(all[start:min(first, end)])
	carets = columnsOf(all[min(first, end):min(last, end)])
	for _, c := range all[start:end] {
		b.WriteString(c.text)
	}
	if end < len(all) {
		b.WriteString("...")
	}
	return b.String(), indent, carets
}

// leadStart finds the first of the cells before the caret that fit in
// leadColumns.
func leadStart(all []cell, first int) int {
	columns := 0
	for i := first - 1; i >= 0; i-- {
		columns += all[i].columns
		if columns > leadColumns {
			return i + 1
		}
	}
	return 0
}

// shrink finds the end of the cells that fit in maxColumns from start on.
func shrink(all []cell, start, end int) int {
	columns := 0
	for i := start; i < end; i++ {
		columns += all[i].columns
		if columns > maxColumns {
			return i
		}
	}
	return end
}

func columnsOf(all []cell) int {
	n := 0
	for _, c := range all {
		n += c.columns
	}
	return n
}

// render writes the snippet below the place line of a diagnostic:
//
//	12 |   when = app in ["youtub"]
//	   |                  ^^^^^^^^
func (s snippet) render(b *strings.Builder, st Style, caret paint) {
	number := strconv.Itoa(s.number)
	gutter := strings.Repeat(" ", len(number))
	b.WriteString("  " + st.in(number+" |", dim) + " " + strings.TrimRight(s.text, " ") + "\n")
	marks := strings.Repeat(" ", s.indent) + st.in(strings.Repeat("^", s.carets), bold, caret)
	b.WriteString("  " + st.in(gutter+" |", dim) + " " + marks + "\n")
}
