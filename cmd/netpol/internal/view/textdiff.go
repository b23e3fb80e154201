package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

// diffContext is how many unchanged lines stand around a changed one.
const diffContext = 3

// writeDiff writes what becomes of each line of a text, behind "+ ", "- " or
// two spaces.
func writeDiff(b *strings.Builder, indent, before, after string, st Style) {
	for _, hunk := range hunks(before, after) {
		for _, line := range hunk.Lines {
			sign, p := "  ", dim
			switch line.Kind {
			case udiff.Insert:
				sign, p = "+ ", green
			case udiff.Delete:
				sign, p = "- ", red
			case udiff.Equal:
			}
			text := cleanLine(shorten(strings.TrimSuffix(line.Content, "\n"), maxText))
			b.WriteString(indent + st.in(sign+text, p) + "\n")
		}
	}
}

// hunks compares two texts line by line; a missing last line feed is not a
// difference worth showing.
func hunks(before, after string) []*udiff.Hunk {
	before, after = withNewline(before), withNewline(after)
	diff, err := udiff.ToUnifiedDiff("", "", before, udiff.Lines(before, after), diffContext)
	if err != nil {
		return nil // only when the edits do not fit the text that they were made from
	}
	return diff.Hunks
}

func withNewline(s string) string {
	if s == "" || strings.HasSuffix(s, "\n") {
		return s
	}
	return s + "\n"
}

// hunkHeader is the line above a hunk, so that patch(1) takes the whole.
func hunkHeader(h *udiff.Hunk) string {
	before, after := 0, 0
	for _, line := range h.Lines {
		switch line.Kind {
		case udiff.Insert:
			after++
		case udiff.Delete:
			before++
		case udiff.Equal:
			before++
			after++
		}
	}
	return fmt.Sprintf("@@ -%d,%d +%d,%d @@", h.FromLine, before, h.ToLine, after)
}

// FileDiff writes a unified diff of one file, as fmt --diff shows it.
func FileDiff(w io.Writer, name, before, after string, st Style) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", st.in("--- "+cleanLine(name), bold), st.in("+++ "+cleanLine(name), bold))
	for _, h := range hunks(before, after) {
		fmt.Fprintf(&b, "%s\n", st.in(hunkHeader(h), blue))
		for _, line := range h.Lines {
			sign, p := " ", paint("")
			switch line.Kind {
			case udiff.Insert:
				sign, p = "+", green
			case udiff.Delete:
				sign, p = "-", red
			case udiff.Equal:
			}
			b.WriteString(st.in(sign+cleanLine(strings.TrimSuffix(line.Content, "\n")), p) + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
