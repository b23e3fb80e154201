package view

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// tabStop is how many columns a tab advances to in a shown source line.
const tabStop = 4

// cell is one character of a source line as it is shown: the bytes it came
// from, the text that stands for it and the terminal columns that text takes.
type cell struct {
	from, to int // byte offsets in the line, half open
	text     string
	columns  int
}

// cells splits a source line into what a terminal may safely show. Tabs
// become spaces; control and formatting characters (escape sequences, text
// direction overrides, zero-width characters) and broken UTF-8 become visible
// escapes, because a policy file may come from someone who wants the terminal
// to show something else than the file says.
func cells(line string) []cell {
	out := make([]cell, 0, len(line))
	column := 0
	for i := 0; i < len(line); {
		r, size := utf8.DecodeRuneInString(line[i:])
		c := cell{from: i, to: i + size}
		switch {
		case r == '\t':
			c.columns = tabStop - column%tabStop
			c.text = strings.Repeat(" ", c.columns)
		case r == utf8.RuneError && size <= 1:
			c.text = fmt.Sprintf(`\x%02x`, line[i])
			c.columns = len(c.text)
		case !unicode.IsGraphic(r):
			c.text = escapeRune(r)
			c.columns = len(c.text)
		default:
			c.text = string(r)
			c.columns = runeColumns(r)
		}
		out = append(out, c)
		column += c.columns
		i += size
	}
	return out
}

// escapeRune writes a character that must not reach a terminal.
func escapeRune(r rune) string {
	switch {
	case r < 0x100:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// runeColumns is how many terminal columns a graphic character takes
// (Unicode Standard Annex 11).
func runeColumns(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	case width.Neutral, width.EastAsianAmbiguous, width.EastAsianNarrow, width.EastAsianHalfwidth:
		return 1
	}
	return 1
}

// clean makes text from outside safe for a terminal. Line feeds stay.
func clean(s string) string {
	safe := func(r rune) bool { return r == '\n' || r != utf8.RuneError && unicode.IsGraphic(r) }
	if strings.IndexFunc(s, func(r rune) bool { return !safe(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size <= 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case safe(r):
			b.WriteRune(r)
		default:
			b.WriteString(escapeRune(r))
		}
		i += size
	}
	return b.String()
}

// cleanLine is clean for text that must stay on one line.
func cleanLine(s string) string {
	return strings.ReplaceAll(clean(s), "\n", `\n`)
}

// shorten cuts text that is too long to read, at a character boundary.
func shorten(s string, maxBytes int) string {
	if len(s) <= maxBytes {
		return s
	}
	cut := maxBytes
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}

// Line makes text from outside safe for one line of a terminal.
func Line(s string) string { return cleanLine(s) }
